// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { objectMember } from '@myelin/matrix/json'
import { accountDataOf } from '@myelin/storage/accounts/account-data'
import type { Read } from '@myelin/storage/engine/database'
import { cachedReader } from '@myelin/storage/engine/cached-reader'

/** Returns the users that a user ignores; never the user themselves. */
export const ignoredUsers: (db: Read, userId: UserId) => Promise<ReadonlySet<string>> = cachedReader(
  'ignoredUsers',
  10_000,
  (userId: UserId) => userId,
  async (db, userId: UserId) => {
    const stored = await accountDataOf(db, userId, '', 'm.ignored_user_list')
    const ignored = new Set(Object.keys((stored && objectMember(stored, 'ignored_users')) ?? {}))
    ignored.delete(userId)
    return ignored
  },
)
