// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { requestOpenIdToken } from './request-open-id-token.ts'

/** OpenID tokens. */
export const openIdEndpoints: readonly AnyEndpoint[] = [requestOpenIdToken]
