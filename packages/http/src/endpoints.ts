// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from './endpoint.ts'

/** Every endpoint of the house, one folder of `client/` a line. */
export const clientEndpoints: readonly AnyEndpoint[] = []
