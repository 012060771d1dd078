// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { usersSharingRooms } from '@myelin/storage/rooms/members/shared-rooms'
import { profileUpdates } from '../profile-updates.ts'
import type { ProfileUpdate } from '../profile-updates.ts'
import type { SyncScope } from '../sync-scope.ts'
import { unlessEmpty } from './sync-section.ts'
import type { SyncSection } from './sync-section.ts'

/**
 * `org.matrix.msc4429.users`: the profile fields that the filter names, of users of this server: all of them for those who
 * came to share a room, then those that changed.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4429
 */
export const profilesSection: SyncSection = {
  path: ['org.matrix.msc4429.users'],
  async changes(scope) {
    const { profileFields } = scope.slice.request.filter
    if (!scope.tools.config.profiles.isInSync || profileFields.length === 0) return undefined
    const fields = new Set(profileFields)
    const updates = await profileUpdates(scope, { whole: await newUsers(scope), fields })
    return unlessEmpty(Object.fromEntries([...updates].map(([user, update]) => [user, entryOf(update)])))
  },
}

async function newUsers(scope: SyncScope): Promise<Iterable<UserId>> {
  if (!scope.slice.since) return usersSharingRooms(scope.db, scope.slice.user)
  return (await scope.deviceLists()).changed
}

/** Returns the entry of a user; a deleted field is null. */
function entryOf(update: ProfileUpdate): object {
  if (update === null) return { profile_updates: null }
  const removed = [...update.removed].map((field) => [field, null] as const)
  return { profile_updates: Object.fromEntries([...update.updated, ...removed]) }
}
