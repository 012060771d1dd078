// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { claimUserEncryptionKeys } from './claim-user-encryption-keys.ts'
import { getUserDevices } from './get-user-devices.ts'
import { queryUserEncryptionKeys } from './query-user-encryption-keys.ts'

/** Devices and keys of users. */
export const federationUserEndpoints: readonly AnyEndpoint[] = [
  claimUserEncryptionKeys,
  getUserDevices,
  queryUserEncryptionKeys,
]
