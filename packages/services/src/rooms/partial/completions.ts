// SPDX-License-Identifier: Apache-2.0
import type { Timer } from '@myelin/kit/clock'
import { Turns } from '@myelin/kit/turns'
import type { RoomId } from '@myelin/matrix/ids'
import { PARTIAL, partialRoom, partialRooms, postponePartialRoom } from '@myelin/storage/federation/partial-rooms'
import type { PartialRoom } from '@myelin/storage/federation/partial-rooms'
import { dropLease, takeLease } from '@myelin/storage/engine/readers'
import { topics } from '@myelin/storage/engine/topics'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Checker } from '../intake/check-incoming.ts'
import { triedTopic } from '../../room-state/await-whole.ts'
import { completeRoom } from './complete-room.ts'

type Needs = Checker & Pick<Runtime, 'bus' | 'random'>

const READER = 'partial rooms'
// Where a node hangs another goes on after so long at the most; where it is dead, at once.
const LEASE_MS = 15_000
const RENEW_MS = 5_000
const AT_ONCE = 2
const RETRY_MS = 30_000
const MAX_RETRY_MS = 3_600_000

/**
 * Learns the members of rooms that were entered without them, beside the requests: a few rooms at a time, again later
 * where nobody told, and on one node only.
 *
 * What it has to do is on disk, and so is what it has done.
 */
export class Completions {
  readonly #rt: Needs
  readonly #holder: string
  readonly #turns = new Turns(AT_ONCE)
  readonly #stop = new AbortController()
  readonly #stopListening: () => void
  readonly #rooms = new Map<RoomId, Promise<void>>()
  #scan: Promise<void> | undefined
  #isLate = false
  #timer: Timer | undefined
  #holdsLease = false

  constructor(rt: Needs) {
    this.#rt = rt
    this.#holder = rt.random.token(16)
    this.#stopListening = rt.bus.wait([PARTIAL, topics.leases], () => this.#look())
    this.#look()
  }

  /** Resolves when nothing is being done; what is tried again later is not waited for. */
  async settled(): Promise<void> {
    while (this.#scan || this.#rooms.size > 0) await Promise.all([this.#scan, ...this.#rooms.values()])
  }

  /** Finishes the step it is at and takes up nothing more. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#stopListening()
    this.#timer?.cancel()
    await this.settled()
    this.#timer?.cancel()
    if (this.#holdsLease) await this.#rt.db.write((tx) => dropLease(tx, READER, this.#holder))
  }

  #look(): void {
    if (this.#stop.signal.aborted) return
    this.#isLate = this.#scan !== undefined
    this.#scan ??= this.#startRooms()
      .catch((cause: unknown) => {
        this.#rt.log.error({ err: cause }, 'looking for rooms whose members are not known failed')
        this.#lookAfter(RETRY_MS)
      })
      .finally(() => {
        this.#scan = undefined
        if (this.#isLate) this.#look()
      })
  }

  #lookAfter(ms: number): void {
    this.#timer?.cancel()
    if (!this.#stop.signal.aborted && ms < Infinity) this.#timer = this.#rt.clock.later(ms, () => this.#look())
  }

  async #startRooms(): Promise<void> {
    const rooms = await partialRooms(this.#rt.db.read)
    if (rooms.length === 0) return
    const now = this.#rt.clock.now()
    const lease = { name: READER, holder: this.#holder, node: this.#rt.db.node, until: now + LEASE_MS }
    this.#holdsLease = (await this.#rt.db.write((tx) => takeLease(tx, lease, now))) !== undefined
    // Where another node holds it, that one may be gone by then.
    if (!this.#holdsLease) return this.#lookAfter(RENEW_MS)
    for (const room of rooms) if (room.retryTs <= now) this.#start(room)
    const nextTs = Math.min(...rooms.map(({ retryTs }) => (retryTs > now ? retryTs : Infinity)))
    // It is kept while there is work; whoever has the next work may take it.
    this.#lookAfter(Math.min(nextTs - now, this.#rooms.size > 0 ? RENEW_MS : Infinity))
  }

  #start(entered: PartialRoom): void {
    const { roomId } = entered
    if (this.#rooms.has(roomId) || this.#stop.signal.aborted) return
    const work = this.#turns
      .run(() => this.#complete(entered))
      .catch(async (cause: unknown) => {
        this.#rt.log.error({ err: cause, roomId }, 'learning the members of a room failed')
        await this.#postpone(entered)
      })
      .catch((cause: unknown) => this.#rt.log.error({ err: cause, roomId }, 'a room could not be put off'))
    this.#rooms.set(
      roomId,
      work.finally(() => this.#rooms.delete(roomId)),
    )
  }

  async #complete({ roomId }: PartialRoom): Promise<void> {
    const { db, log, clock } = this.#rt
    if (this.#stop.signal.aborted) return
    // It may have been put off, or be whole, since somebody looked.
    const entered = await partialRoom(db.read, roomId)
    if (!entered || entered.retryTs > clock.now()) return
    const { tries } = entered
    const startedTs = clock.now()
    const became = await completeRoom(this.#rt, entered, this.#stop.signal)
    if (became === 'untold') await this.#postpone(entered)
    else log.info({ roomId, tries, tookMs: clock.now() - startedTs, became }, 'the members of a room are settled')
  }

  async #postpone({ roomId, room, tries }: PartialRoom): Promise<void> {
    const { db, bus, clock, log } = this.#rt
    if (this.#stop.signal.aborted) return
    const waitMs = Math.min(RETRY_MS * 2 ** Math.min(tries, 20), MAX_RETRY_MS)
    await db.write((tx) => postponePartialRoom(tx, room, tries + 1, clock.now() + waitMs))
    log.warn({ roomId, tries: tries + 1, waitMs }, 'nobody told the members of a room; they are asked for again later')
    bus.announce({ position: 0, topics: new Set([triedTopic(roomId)]) })
  }
}
