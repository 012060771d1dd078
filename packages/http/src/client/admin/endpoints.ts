// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getRegistrationNonce, registerWithSecret } from './register-by-secret.ts'

/** What admins of the server can do. */
export const adminEndpoints: readonly AnyEndpoint[] = [getRegistrationNonce, registerWithSecret]
