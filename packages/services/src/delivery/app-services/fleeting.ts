// SPDX-License-Identifier: Apache-2.0
import type { Hint } from '@myelin/kit/bus'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { userOfPresenceTopic } from '@myelin/storage/engine/topics'
import { presenceOf } from '@myelin/storage/sync/presence'
import { presenceContent } from '../../runtime/presence/show-presence.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { roomTypedIn } from '../../runtime/typing.ts'
import type { InterestingEvents } from './interesting-events.ts'

/** The most rooms and users of which changes are kept. */
const MAX_CHANGED = 10_000

/** Typing and presence for an application service: the newest of each, dropped rather than late. */
export class FleetingData {
  readonly #rt: Pick<Runtime, 'db' | 'typing' | 'clock'>
  readonly #interest: InterestingEvents
  readonly #typed = new Set<RoomId>()
  readonly #present = new Set<UserId>()
  /** The rooms whose typing users are known to the service, with these users. */
  readonly #sent = new Map<RoomId, string>()

  constructor(rt: Pick<Runtime, 'db' | 'typing' | 'clock'>, interest: InterestingEvents) {
    this.#rt = rt
    this.#interest = interest
  }

  /** Returns whether something changed since it was taken. */
  get isWaiting(): boolean {
    return this.#typed.size + this.#present.size > 0
  }

  /** Records the rooms and users of a hint. */
  onHint({ topics }: Hint): void {
    for (const topic of topics) {
      const [room, user] = [roomTypedIn(topic), userOfPresenceTopic(topic)]
      if (room !== undefined) this.#typed.add(room)
      if (user !== undefined) this.#present.add(user)
    }
    if (this.#typed.size + this.#present.size > MAX_CHANGED) this.clear()
  }

  /** Drops everything. */
  clear(): void {
    this.#typed.clear()
    this.#present.clear()
  }

  /** Removes and returns the events about what changed. */
  async take(): Promise<JsonObject[]> {
    const [typed, present] = [[...this.#typed], [...this.#present]]
    this.clear()
    const events: JsonObject[] = []
    for (const roomId of typed) {
      const typers = this.#rt.typing.typersIn(roomId)
      if ((this.#sent.get(roomId) ?? '') === typers.join(' ')) continue
      if (!(await this.#interest.hasInterestIn(this.#rt.db.read, roomId))) continue
      if (typers.length > 0) this.#sent.set(roomId, typers.join(' '))
      else this.#sent.delete(roomId)
      events.push({ type: 'm.typing', room_id: roomId, content: { user_ids: typers } })
    }
    for (const presence of await presenceOf(this.#rt.db.read, present)) {
      if (!(await this.#interest.hasInterestInUser(this.#rt.db.read, presence.userId))) continue
      const content = presenceContent(presence, this.#rt.clock.now())
      events.push({ type: 'm.presence', sender: presence.userId, content })
    }
    return events
  }
}
