// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { membershipsOf } from '@myelin/storage/rooms/members/members'
import type { Membership } from '@myelin/storage/rooms/members/members'

/** Returns a user's joins, that with the newest member event first. */
export async function joinsOf(db: Read, userId: UserId): Promise<Membership[]> {
  const all = await membershipsOf(db, userId)
  return all.filter(({ membership }) => membership === 'join').toSorted((a, b) => b.eventNid - a.eventNid)
}
