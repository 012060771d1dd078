// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { claimKeys } from './claim-keys.ts'
import { getKeysChanges } from './get-keys-changes.ts'
import { queryKeys } from './query-keys.ts'
import { uploadCrossSigningKeys } from './upload-cross-signing-keys.ts'
import { uploadCrossSigningSignatures } from './upload-cross-signing-signatures.ts'
import { uploadKeys } from './upload-keys.ts'

/** End-to-end encryption keys and their signatures. */
export const keyEndpoints: readonly AnyEndpoint[] = [
  claimKeys,
  getKeysChanges,
  queryKeys,
  uploadCrossSigningKeys,
  uploadCrossSigningSignatures,
  uploadKeys,
]
