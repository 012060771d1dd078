// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { deleteProfileField, setProfileField } from './change-profile.ts'
import { getProfileField, getUserProfile } from './get-profile.ts'

/** What people tell about themselves. */
export const profileEndpoints: readonly AnyEndpoint[] = [
  deleteProfileField,
  getProfileField,
  getUserProfile,
  setProfileField,
]
