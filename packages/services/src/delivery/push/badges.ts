// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { pushRulesPosition, storedPushRules } from '@myelin/storage/accounts/push-rules'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import type { Runtime } from '../../runtime/runtime.ts'
import { ignoredUsers } from '../../standing/ignored-users.ts'
import { countUnread } from '../../sync/room-sections/unread.ts'

interface Counted {
  /** The unread events of each joined room, as far as they were counted. */
  readonly rooms: Map<RoomId, number>
  /** The inputs of the counts other than the rooms: if they differ, all rooms are counted again. */
  readonly basis: string
}

const MAX_USERS = 10_000

/**
 * Counts the badge of users: how many rooms have unread notifications, or how many notifications are unread in all, and the
 * open invites.
 *
 * The counts of rooms are kept in memory until {@link touch} says that they may differ.
 */
export class Badges {
  readonly #rt: Pick<Runtime, 'db' | 'config'>
  readonly #counted = new Cache<UserId, Counted>(MAX_USERS)

  constructor(rt: Pick<Runtime, 'db' | 'config'>) {
    this.#rt = rt
  }

  /** Forgets a room's counts for a user; of all rooms where none is given. */
  touch(user: UserId, roomId?: RoomId): void {
    if (roomId === undefined) this.#counted.delete(user)
    else this.#counted.get(user)?.rooms.delete(roomId)
  }

  /**
   * Notes that a user has one more notification in a room. Where the badge counts rooms, the count of one that has some already
   * is kept.
   */
  grow(user: UserId, roomId: RoomId): void {
    const rooms = this.#counted.get(user)?.rooms
    if (this.#rt.config.push.countsRooms && (rooms?.get(roomId) ?? 0) > 0) return
    rooms?.delete(roomId)
  }

  /** Forgets all counts. */
  clear(): void {
    this.#counted.clear()
  }

  /** Returns a user's badge. */
  async of(user: UserId): Promise<number> {
    const { db, config } = this.#rt
    const memberships = await cachedMemberships(db.read, user)
    const ignored = await ignoredUsers(db.read, user)
    const basis = JSON.stringify([await pushRulesPosition(db.read, user), [...ignored]])
    let counted = this.#counted.get(user)
    if (counted?.basis !== basis) this.#counted.set(user, (counted = { rooms: new Map(), basis }))
    const hasOwnRules = (await storedPushRules(db.read, user)) !== undefined
    const upTo = await db.position()
    let badge = memberships.filter(({ membership }) => membership === 'invite').length
    for (const { roomId, membership, position: joined } of memberships) {
      if (membership !== 'join') continue
      let unread = counted.rooms.get(roomId)
      if (unread === undefined) {
        const counts = await countUnread(db.read, { roomId, user, joined, upTo, ignored }, hasOwnRules)
        unread = counts.reduce((sum, { notifications }) => sum + notifications, 0)
        counted.rooms.set(roomId, unread)
      }
      badge += config.push.countsRooms ? Math.min(unread, 1) : unread
    }
    return badge
  }
}
