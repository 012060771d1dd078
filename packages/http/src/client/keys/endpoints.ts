// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { claimKeys } from './claim-keys.ts'
import { getKeysChanges } from './get-keys-changes.ts'
import { queryKeys } from './query-keys.ts'
import { uploadCrossSigningKeys } from './upload-cross-signing-keys.ts'
import { uploadCrossSigningSignatures } from './upload-cross-signing-signatures.ts'
import { uploadKeys } from './upload-keys.ts'

/** Keys of devices and users, and the signatures on them. */
export const keyEndpoints: readonly AnyEndpoint[] = [
  claimKeys,
  getKeysChanges,
  queryKeys,
  uploadCrossSigningKeys,
  uploadCrossSigningSignatures,
  uploadKeys,
]
