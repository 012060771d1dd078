// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { claimUserEncryptionKeys, getUserDevices, queryUserEncryptionKeys } from './user-keys.ts'

/** What other servers may know of this server's users. */
export const federationUserEndpoints: readonly AnyEndpoint[] = [
  getUserDevices,
  queryUserEncryptionKeys,
  claimUserEncryptionKeys,
]
