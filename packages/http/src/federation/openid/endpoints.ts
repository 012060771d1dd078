// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { exchangeOpenIdToken } from './exchange-open-id-token.ts'

/** OpenID tokens. */
export const federationOpenIdEndpoints: readonly AnyEndpoint[] = [exchangeOpenIdToken]
