// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deleteProfileField } from './delete-profile-field.ts'
import { getProfileField } from './get-profile-field.ts'
import { getUserProfile } from './get-user-profile.ts'
import { setProfileField } from './set-profile-field.ts'

/** Profiles. */
export const profileEndpoints: readonly AnyEndpoint[] = [
  deleteProfileField,
  getProfileField,
  getUserProfile,
  setProfileField,
]
