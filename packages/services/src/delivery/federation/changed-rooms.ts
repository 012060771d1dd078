// SPDX-License-Identifier: Apache-2.0
import type { Hint } from '@myelin/kit/bus'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import { roomOfReceiptsTopic } from '@myelin/storage/engine/topics'

const MAX_ROOMS = 50_000

/** The rooms that moved since somebody last asked, without those known to concern no other server. */
export class ChangedRooms {
  readonly #us: ServerName
  readonly #own = new Set<RoomId>()
  #rooms = new Set<RoomId>()
  #hasUsers = true
  /** Hints were missed: any room may have moved. */
  #isLost = true

  constructor(us: ServerName) {
    this.#us = us
  }

  /** Takes note of what a commit moved. */
  hear({ topics }: Hint): void {
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
      // A member of another server came or went, maybe here.
      if (concernsOthers) this.#own.delete(room)
      if (!this.#own.has(room)) this.#rooms.add(room)
    }
    if (this.#rooms.size > MAX_ROOMS) this.lose()
  }

  /** From here on it is not known which rooms moved. */
  lose(): void {
    this.#isLost = true
    this.#hasUsers = true
    this.#rooms.clear()
    this.#own.clear()
  }

  /** The rooms that moved; undefined where that is not known. */
  take(): ReadonlySet<RoomId> | undefined {
    const rooms = this.#isLost ? undefined : this.#rooms
    this.#isLost = false
    this.#rooms = new Set()
    return rooms
  }

  /** Whether anything moved that concerns users since somebody last asked. */
  takeUsers(): boolean {
    const hadUsers = this.#hasUsers
    this.#hasUsers = false
    return hadUsers
  }

  /** Leaves a room out until a member of another server comes. */
  keepOut(room: RoomId): void {
    if (this.#own.size >= MAX_ROOMS) this.#own.clear()
    if (!this.#rooms.has(room)) this.#own.add(room)
  }
}
