// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsById } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import type { ServedRoom } from './server-access.ts'
import { hasOwnState } from './sight.ts'

// Events that the walk passes without returning them count, too.
const MAX_STEPS = 1000

/** Walks a room's graph backwards, the deepest event first; never out of the room, nor through rejected events. */
export class GraphWalk {
  readonly #db: Read
  readonly #room: ServedRoom
  readonly #known: Set<EventId>
  #pending: EventId[] = []
  readonly #open: StoredEvent[] = []

  /** Starts a walk that ignores the events in `known`. */
  constructor(db: Read, room: ServedRoom, known: Iterable<EventId> = []) {
    this.#db = db
    this.#room = room
    this.#known = new Set(known)
  }

  /** Adds events to start from. */
  add(ids: readonly EventId[]): void {
    for (const id of ids) {
      if (this.#known.has(id)) continue
      this.#known.add(id)
      this.#pending.push(id)
    }
  }

  /** Returns up to `limit` wanted events; the walk passes the others while its budget lasts. */
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
