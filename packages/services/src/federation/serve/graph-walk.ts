// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsById } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import type { ServedRoom } from './server-access.ts'
import { hasOwnState } from './sight.ts'

// What is walked through without being given costs as well.
const MAX_STEPS = 1000

/** Walks a room's graph towards its beginning, the deepest event first; never out of the room, nor along rejected events. */
export class GraphWalk {
  readonly #db: Read
  readonly #room: ServedRoom
  readonly #known: Set<EventId>
  #pending: EventId[] = []
  readonly #open: StoredEvent[] = []

  /** Events in `known` are not walked to. */
  constructor(db: Read, room: ServedRoom, known: Iterable<EventId> = []) {
    this.#db = db
    this.#room = room
    this.#known = new Set(known)
  }

  /** Events to begin with. */
  add(ids: readonly EventId[]): void {
    for (const id of ids) {
      if (this.#known.has(id)) continue
      this.#known.add(id)
      this.#pending.push(id)
    }
  }

  /** Up to so many events that are wanted; the walk goes on past the others while its budget lasts. */
  async take(limit: number, isWanted: (event: StoredEvent) => boolean): Promise<StoredEvent[]> {
    const taken: StoredEvent[] = []
    for (let step = 0; step < MAX_STEPS && taken.length < limit; step++) {
      const event = await this.#next()
      if (!event) break
      this.add(event.pdu.prevEvents)
      if (isWanted(event)) taken.push(event)
    }
    return taken
  }

  async #next(): Promise<StoredEvent | undefined> {
    if (this.#pending.length > 0) {
      const found = await eventsById(this.#db, this.#pending)
      this.#pending = []
      this.#open.push(...found.filter((event) => this.#isWalked(event)))
      this.#open.sort((a, b) => a.pdu.depth - b.pdu.depth || (a.position ?? 0) - (b.position ?? 0))
    }
    return this.#open.pop()
  }

  #isWalked(event: StoredEvent): boolean {
    return event.pdu.roomId === this.#room.id && event.status !== EVENT_STATUS.rejected && hasOwnState(event)
  }
}
