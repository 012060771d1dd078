// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { stateKey } from '@myelin/rules/auth/state-key'
import { isWorldReadable } from '@myelin/rules/visibility'
import type { Read } from '@myelin/storage/engine/database'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import { loadState } from '../room-state/load-auth-state.ts'
import { joinsOf } from './joins-of.ts'

/** The most rooms of other users that one search looks at. */
const MAX_ROOMS = 200

/**
 * Finds rooms through which a searcher may learn of a user: those the searcher is joined to, and those that everybody may
 * enter or read. It looks at each room once.
 */
export class VisibleRooms {
  readonly #db: Read
  readonly #searcher: UserId
  readonly #isVisible = new Map<RoomId, boolean>()
  #looked = 0

  constructor(db: Read, searcher: UserId) {
    this.#db = db
    this.#searcher = searcher
  }

  /** Returns a user's join with the newest member event among those in such rooms. */
  async newestJoin(userId: UserId): Promise<Membership | undefined> {
    if (this.#isVisible.size === 0) {
      for (const { roomId } of await joinsOf(this.#db, this.#searcher)) this.#isVisible.set(roomId, true)
    }
    for (const join of await joinsOf(this.#db, userId)) if (await this.#has(join.roomId)) return join
    return undefined
  }

  async #has(roomId: RoomId): Promise<boolean> {
    const known = this.#isVisible.get(roomId)
    if (known !== undefined) return known
    if (this.#looked >= MAX_ROOMS) return false
    this.#looked++
    const isOpen = await this.#isOpen(roomId)
    this.#isVisible.set(roomId, isOpen)
    return isOpen
  }

  async #isOpen(roomId: RoomId): Promise<boolean> {
    const root = (await roomById(this.#db, roomId))?.stateRoot ?? 0
    const state = await loadState(this.#db, root, [
      ['m.room.join_rules', ''],
      ['m.room.history_visibility', ''],
    ])
    const rule = state.get(stateKey('m.room.join_rules'))
    const visibility = state.get(stateKey('m.room.history_visibility'))
    if (rule && stringMember(rule.content, 'join_rule') === 'public') return true
    return isWorldReadable(visibility && stringMember(visibility.content, 'history_visibility'))
  }
}
