// SPDX-License-Identifier: Apache-2.0
import type { ProfileUpdate } from '../profile-updates.ts'
import { unlessEmpty } from './sync-section.ts'
import type { SyncSection } from './sync-section.ts'

/**
 * `org.matrix.msc4429.users`: the profile fields that the filter names, of users of this server: all of them for those who
 * came to share a room, then those that changed. They may be spread over several answers.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4429
 */
export const profilesSection: SyncSection = {
  path: ['org.matrix.msc4429.users'],
  async changes(scope) {
    const updates = (await scope.profiles())?.updates ?? []
    return unlessEmpty(Object.fromEntries([...updates].map(([user, update]) => [user, entryOf(update)])))
  },
}

/** Returns the entry of a user; a deleted field is null. */
function entryOf(update: ProfileUpdate): object {
  if (update === null) return { profile_updates: null }
  const removed = [...update.removed].map((field) => [field, null] as const)
  return { profile_updates: Object.fromEntries([...update.updated, ...removed]) }
}
