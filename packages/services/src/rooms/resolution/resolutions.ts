// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import { systemClock } from '@myelin/kit/clock'
import type { Clock } from '@myelin/kit/clock'
import { Semaphore, TooManyWaiting } from '@myelin/kit/semaphore'
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Database } from '@myelin/storage/engine/database'
import { changeState } from '@myelin/storage/rooms/state/state'
import { ResolutionThread } from './resolution-thread.ts'
import { distinctOf, keepResolution } from './resolve-roots.ts'
import type { ResolvedRoots } from './resolve-roots.ts'

/** Above this time a resolution moves to a thread of its own, so that it blocks only other long ones. */
const SOON_MS = 5_000
/** Above this time a resolution is given up. */
const LATEST_MS = 60_000
/** The most waiting resolutions of one room. */
const MAX_PER_ROOM = 100
/** The most resolutions remembered as too long. */
const REMEMBERED = 1_000
/** Number of state changes written in one unit of work. */
const CHANGES_A_UNIT = 100

/** States of a room by their roots. */
export interface States {
  readonly roomId: RoomId
  readonly version: RoomVersion
  readonly roots: readonly number[]
}

/** Thrown where resolving some states takes longer than a server can spend on a room. */
export class ResolutionTooLong extends MatrixError {
  constructor(roomId: RoomId) {
    super('M_UNKNOWN', `what the states of ${roomId} come to takes too long to be worked out`, { status: 503 })
  }
}

/**
 * Resolves states on two other threads: one for short resolutions, on which rooms take turns, and one for long ones. A
 * resolution that is too long even for that is given up, and not retried before the next start.
 */
export class Resolutions {
  readonly #db: Database
  readonly #quick: ResolutionThread
  readonly #long: ResolutionThread
  readonly #quickSemaphore = new Semaphore(1, { maxWaitingPerKey: MAX_PER_ROOM })
  readonly #longSemaphore = new Semaphore(1, { maxWaitingPerKey: MAX_PER_ROOM })
  /** Equal concurrent requests share one resolution. */
  readonly #underWay = new Map<string, Promise<number>>()
  readonly #tooLong = new Cache<string, true>(REMEMBERED)

  constructor(db: Database, clock: Clock = systemClock) {
    this.#db = db
    this.#quick = new ResolutionThread(db.source, clock)
    this.#long = new ResolutionThread(db.source, clock)
  }

  /**
   * Returns the root of the resolved state, after writing it; `resolvedRoot` finds it from then on. The states must be
   * committed.
   */
  resolve({ roomId, version, roots }: States): Promise<number> {
    const distinct = distinctOf(roots)
    if (distinct.length < 2) return Promise.resolve(distinct[0] ?? 0)
    const name = distinct.join(' ')
    const underWay = this.#underWay.get(name)
    if (underWay) return underWay
    const resolved = this.#resolved({ roomId, version, roots: distinct }, name)
      .catch((cause: unknown) => {
        if (!(cause instanceof TooManyWaiting)) throw cause
        throw new MatrixError(
          'M_LIMIT_EXCEEDED',
          'too many state resolutions are pending in this room; try again later',
          {
            cause,
          },
        )
      })
      .finally(() => this.#underWay.delete(name))
    this.#underWay.set(name, resolved)
    return resolved
  }

  /** Ends the threads; the next resolution starts others. */
  async close(): Promise<void> {
    await Promise.all([this.#quick.close(), this.#long.close()])
  }

  async #resolved({ roomId, version, roots }: States, name: string): Promise<number> {
    if (this.#tooLong.get(name)) throw new ResolutionTooLong(roomId)
    const states = { version: version.id, roots }
    let answer = await this.#quickSemaphore.run(() => this.#quick.resolve(states, SOON_MS), { key: roomId })
    if (answer === 'late' || answer === 'ended') {
      answer = await this.#longSemaphore.run(() => this.#long.resolve(states, LATEST_MS), { key: roomId })
    }
    if (answer === 'late' || answer === 'ended') {
      this.#tooLong.set(name, true)
      throw new ResolutionTooLong(roomId)
    }
    if ('fault' in answer) throw new Error(`state resolution failed: ${answer.fault}`)
    return this.#written(answer, roots)
  }

  async #written({ base, changes }: ResolvedRoots, roots: readonly number[]): Promise<number> {
    let root = base
    for (let at = 0; at < changes.length; at += CHANGES_A_UNIT) {
      const from = root
      root = await this.#db.write((tx) => changeState(tx, from, changes.slice(at, at + CHANGES_A_UNIT)))
    }
    keepResolution(this.#db.read, roots, { base: root, changes: [] })
    return root
  }
}

const all = new WeakMap<Database, Resolutions>()

/** Returns the root of the resolved state: see {@link Resolutions}. */
export function resolveElsewhere(db: Database, states: States): Promise<number> {
  let resolutions = all.get(db)
  if (!resolutions) all.set(db, (resolutions = new Resolutions(db)))
  return resolutions.resolve(states)
}

/** Ends the resolution threads of a database, if any; the next resolution starts others. */
export async function endResolutions(db: Database): Promise<void> {
  await all.get(db)?.close()
}
