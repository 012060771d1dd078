// SPDX-License-Identifier: Apache-2.0
import type { Hint } from '@myelin/kit/bus'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { roomOfReceiptsTopic } from '@myelin/storage/engine/topics'

const MAX_ROOMS = 50_000

/** Collects the rooms that changed since the last call, without those known to have no members of other servers. */
export class ChangedRooms {
  readonly #us: ServerName
  readonly #own = new Set<RoomId>()
  #rooms = new Set<RoomId>()
  #hasUsers = true
  /** Hints were missed, so any room may have changed. */
  #isLost = true

  constructor(us: ServerName) {
    this.#us = us
  }

  /** Records the rooms of a commit. */
  onHint({ topics }: Hint): void {
    if (topics.has('*')) return this.lose()
    const rooms: RoomId[] = []
    let concernsOthers = false
    for (const topic of topics) {
      const read = roomOfReceiptsTopic(topic)
      if (read && !this.#own.has(read)) this.#rooms.add(read)
      if (topic.startsWith('!')) rooms.push(topic as RoomId)
      if (topic.startsWith('@')) this.#hasUsers = true
      if (topic.startsWith('@') && !topic.endsWith(`:${this.#us}`)) concernsOthers = true
    }
    for (const room of rooms) {
      // A member of another server joined or left.
      if (concernsOthers) this.#own.delete(room)
      if (!this.#own.has(room)) this.#rooms.add(room)
    }
    if (this.#rooms.size > MAX_ROOMS) this.lose()
  }

  /** Records that hints were missed. */
  lose(): void {
    this.#isLost = true
    this.#hasUsers = true
    this.#rooms.clear()
    this.#own.clear()
  }

  /** Returns the changed rooms and clears them; undefined where they are not known. */
  take(): ReadonlySet<RoomId> | undefined {
    const rooms = this.#isLost ? undefined : this.#rooms
    this.#isLost = false
    this.#rooms = new Set()
    return rooms
  }

  /** Returns whether a user's topic was touched since the last call, and clears it. */
  takeUsers(): boolean {
    const hadUsers = this.#hasUsers
    this.#hasUsers = false
    return hadUsers
  }

  /** Ignores a room until a member of another server joins. */
  keepOut(room: RoomId): void {
    if (this.#own.size >= MAX_ROOMS) this.#own.clear()
    if (!this.#rooms.has(room)) this.#own.add(room)
  }
}
