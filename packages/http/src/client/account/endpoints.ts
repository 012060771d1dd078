// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { changePassword } from './change-password.ts'
import { checkUsernameAvailability } from './check-username-availability.ts'
import { deactivateAccount } from './deactivate-account.ts'
import { getTokenOwner } from './get-token-owner.ts'
import { register } from './register.ts'
import { registrationTokenValidity } from './registration-token-validity.ts'

/** Creating and changing accounts. */
export const accountEndpoints: readonly AnyEndpoint[] = [
  changePassword,
  checkUsernameAvailability,
  deactivateAccount,
  getTokenOwner,
  register,
  registrationTokenValidity,
]
