// SPDX-License-Identifier: Apache-2.0
import { oneTimeKeyCounts, unusedFallbackAlgorithms } from '@myelin/storage/keys/one-time-keys'
import type { SyncSection } from './sync-section.ts'

/** `device_one_time_keys_count`: clients expect the count of `signed_curve25519` in each answer, zero too. */
export const oneTimeKeysSection: SyncSection = {
  path: ['device_one_time_keys_count'],
  isQuiet: true,
  async changes({ db, slice }) {
    const counts = await oneTimeKeyCounts(db, slice.user, slice.request.requester.deviceId)
    return { signed_curve25519: 0, ...counts }
  },
}

/** `device_unused_fallback_key_types`: a client uploads a new fallback key when an algorithm is missing here. */
export const fallbackKeysSection: SyncSection = {
  path: ['device_unused_fallback_key_types'],
  isQuiet: true,
  changes: ({ db, slice }) => unusedFallbackAlgorithms(db, slice.user, slice.request.requester.deviceId),
}
