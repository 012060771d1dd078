// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { pingAppservice } from './ping-appservice.ts'

/** The operations for application services alone. */
export const appServiceEndpoints: readonly AnyEndpoint[] = [pingAppservice]
