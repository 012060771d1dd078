// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { search } from './search.ts'

/** The search for events. */
export const searchEndpoints: readonly AnyEndpoint[] = [search]
