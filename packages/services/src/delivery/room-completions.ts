// SPDX-License-Identifier: Apache-2.0
import { Semaphore } from '@myelin/kit/semaphore'
import type { RoomId } from '@myelin/matrix/ids'
import { PARTIAL, partialRoom, partialRooms, postponePartialRoom } from '@myelin/storage/federation/partial-rooms'
import type { PartialRoom } from '@myelin/storage/federation/partial-rooms'
import { triedTopic } from '../room-state/await-whole.ts'
import type { Checker } from '../rooms/intake/check-incoming.ts'
import { completeRoom } from '../rooms/partial/complete-room.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { LogFollower } from './log-follower.ts'

type Needs = Checker & Pick<Runtime, 'bus' | 'random'>

// The time after which another node takes over from one that hangs; from a dead one at once.
const LEASE_MS = 15_000
const AT_ONCE = 2
const RETRY_MS = 30_000
const MAX_RETRY_MS = 3_600_000

/**
 * Completes partially joined rooms: two at a time, on one node, with back-off while no server sends the members.
 *
 * The rooms and the progress of each are on disk.
 */
export class RoomCompletions {
  readonly #rt: Needs
  readonly #follower: LogFollower
  readonly #semaphore = new Semaphore(AT_ONCE)
  readonly #rooms = new Map<RoomId, Promise<void>>()

  constructor(rt: Needs) {
    this.#rt = rt
    this.#follower = new LogFollower(rt, {
      name: 'partial rooms',
      leaseMs: LEASE_MS,
      concerns: ({ topics }) => topics.has(PARTIAL),
      follow: (_, term) => this.#startDue(term),
    })
  }

  /** Resolves when no room is being completed; rooms that are tried again later are not waited for. */
  async settled(): Promise<void> {
    do {
      await this.#follower.settled()
      await Promise.all(this.#rooms.values())
    } while (this.#follower.isBusy || this.#rooms.size > 0)
  }

  /** Finishes the current step of each room; the rest follows after the next start. */
  async close(): Promise<void> {
    await this.#follower.stop()
    await Promise.all(this.#rooms.values())
    await this.#follower.close()
  }

  /** Starts the rooms that are due; returns in how many milliseconds to look again, while there are partial rooms. */
  async #startDue(term: AbortSignal): Promise<number | undefined> {
    const rooms = await partialRooms(this.#rt.db.read)
    const now = this.#rt.clock.now()
    for (const room of rooms) if (room.retryTs <= now) this.#start(room, term)
    if (rooms.length === 0) return undefined
    return Math.min(RETRY_MS, ...rooms.flatMap(({ retryTs }) => (retryTs > now ? [retryTs - now] : [])))
  }

  #start(room: PartialRoom, term: AbortSignal): void {
    const { roomId } = room
    if (this.#rooms.has(roomId) || term.aborted) return
    const work = this.#semaphore
      .run(() => this.#complete(room, term))
      .catch(async (cause: unknown) => {
        this.#rt.log.error({ err: cause, roomId }, 'the members of a room could not be fetched')
        await this.#postpone(room, term)
      })
    const ended = work.then(
      () => {
        this.#rooms.delete(roomId)
        // In the meantime the room may have been left and joined again.
        this.#follower.run()
      },
      (cause: unknown) => {
        this.#rooms.delete(roomId)
        this.#rt.log.error({ err: cause, roomId }, 'a partial room could not be postponed')
      },
    )
    this.#rooms.set(roomId, ended)
  }

  async #complete({ roomId }: PartialRoom, term: AbortSignal): Promise<void> {
    const { db, log, clock } = this.#rt
    if (term.aborted) return
    // The room may have been postponed or completed while it waited.
    const room = await partialRoom(db.read, roomId)
    if (!room || room.retryTs > clock.now()) return
    const { tries } = room
    const startedTs = clock.now()
    const outcome = await completeRoom(this.#rt, room, term)
    if (outcome === 'incomplete') await this.#postpone(room, term)
    else
      log.info({ roomId, tries, tookMs: clock.now() - startedTs, outcome }, 'a room with partial state was completed')
  }

  async #postpone({ roomId, room, tries }: PartialRoom, term: AbortSignal): Promise<void> {
    const { db, bus, clock, log } = this.#rt
    if (term.aborted) return
    const waitMs = Math.min(RETRY_MS * 2 ** Math.min(tries, 20), MAX_RETRY_MS)
    await db.write((tx) => postponePartialRoom(tx, room, tries + 1, clock.now() + waitMs))
    log.warn({ roomId, tries: tries + 1, waitMs }, 'no server sent the members of a room; retrying later')
    bus.announce({ position: 0, topics: new Set([triedTopic(roomId)]) })
  }
}
