// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getWhoIs } from './get-whois.ts'
import { getAdminLockUser, getAdminSuspendUser, setAdminLockUser, setAdminSuspendUser } from './moderate-account.ts'
import { getRegistrationNonce, registerWithSecret } from './register-by-secret.ts'

/** What admins of the server can do. */
export const adminEndpoints: readonly AnyEndpoint[] = [
  getAdminLockUser,
  getAdminSuspendUser,
  getRegistrationNonce,
  getWhoIs,
  registerWithSecret,
  setAdminLockUser,
  setAdminSuspendUser,
]
