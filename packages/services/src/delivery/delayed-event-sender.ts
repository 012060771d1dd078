// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { topics } from '@myelin/storage/engine/topics'
import { deleteDelayedEvent, dueDelayedEvents, nextDelayedEventTs } from '@myelin/storage/rooms/delayed-events'
import type { DelayedEvent } from '@myelin/storage/rooms/delayed-events'
import { sendDelayed } from '../rooms/delayed/delayed-draft.ts'
import type { DelayedEventNeeds } from '../rooms/delayed/delayed-draft.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { LogFollower } from './log-follower.ts'

/** The most events that are sent before the clock is read again. */
const PAGE = 50
/** The longest time between two looks, so that a clock that is set does not delay events for long. */
const MAX_PAUSE_MS = 60_000

/** Refuses an event that was put off or cancelled after it was read. */
class NotDue extends Error {}

/**
 * Sends delayed events when they are due: each once, on one node, also those that became due while no node ran.
 *
 * An event is deleted in the unit that sends it. One that the room refuses by then is deleted.
 */
export class DelayedEventSender {
  readonly #rt: DelayedEventNeeds & Pick<Runtime, 'bus' | 'log'>
  readonly #follower: LogFollower

  constructor(rt: DelayedEventNeeds & Pick<Runtime, 'bus' | 'log'>) {
    this.#rt = rt
    this.#follower = new LogFollower(rt, {
      name: 'delayed events',
      concerns: ({ topics: changed }) => changed.has(topics.delayedEvents),
      follow: (_, term) => this.#sendDue(term),
    })
  }

  /** Resolves when all events that are due were sent. */
  settled(): Promise<void> {
    return this.#follower.settled()
  }

  /** Finishes the event under way; the others are sent after the next start. */
  close(): Promise<void> {
    return this.#follower.close()
  }

  /** Sends the events that are due; returns in how many milliseconds the next one is. */
  async #sendDue(term: AbortSignal): Promise<number | undefined> {
    const { db, clock } = this.#rt
    while (!term.aborted) {
      const next = await nextDelayedEventTs(db.read)
      const now = clock.now()
      if (next === undefined) return undefined
      if (next > now) return Math.min(MAX_PAUSE_MS, next - now)
      const due = await dueDelayedEvents(db.read, now, PAGE)
      for (const event of due) if (!term.aborted) await this.#send(event)
    }
    return undefined
  }

  async #send(event: DelayedEvent): Promise<void> {
    const { db, clock, log } = this.#rt
    const { userId, delayId } = event
    const dueBy = clock.now()
    try {
      await sendDelayed(this.#rt, event, {
        claim: async (tx) => {
          if (!(await deleteDelayedEvent(tx, { userId, delayId, dueBy }))) throw new NotDue()
        },
      })
    } catch (cause) {
      if (cause instanceof NotDue) return
      // Anything else is a fault of this server, or passes: the follower tries again.
      if (!(cause instanceof MatrixError) || cause.status >= 500 || cause.status === 429) throw cause
      log.info({ err: cause, user: userId, room: event.roomId }, 'a delayed event was refused; it is dropped')
      await db.write((tx) => deleteDelayedEvent(tx, { userId, delayId, dueBy }))
    }
  }
}
