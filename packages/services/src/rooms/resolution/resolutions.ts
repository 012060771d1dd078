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

/** What takes longer is begun anew on a thread of its own, so that it holds up nobody but its like. */
const SOON_MS = 5_000
/** And what takes longer than that is given up. */
const LATEST_MS = 60_000
/** So many questions of one room may wait. */
const MOST_OF_A_ROOM = 100
/** So many questions are known to take too long. */
const REMEMBERED = 1_000
/** So many changes of a state are written in a unit. */
const CHANGES_A_UNIT = 100

/** Whole states of a room by their roots. */
export interface States {
  readonly roomId: RoomId
  readonly version: RoomVersion
  readonly roots: readonly number[]
}

/** Nobody will ever know what some states come to: resolving them takes longer than a server can spend on a room. */
export class ResolutionTooLong extends MatrixError {
  constructor(roomId: RoomId) {
    super('M_UNKNOWN', `what the states of ${roomId} come to takes too long to be worked out`, { status: 503 })
  }
}

/**
 * Resolves states on other threads: a quick one, on which rooms take turns, and one for what proves to be long. What is
 * too long even for that is given up, and not tried again before the next start.
 */
export class Resolutions {
  readonly #db: Database
  readonly #quick: ResolutionThread
  readonly #long: ResolutionThread
  readonly #quickSemaphore = new Semaphore(1, { maxWaitingPerKey: MOST_OF_A_ROOM })
  readonly #longSemaphore = new Semaphore(1, { maxWaitingPerKey: MOST_OF_A_ROOM })
  /** Who asks what somebody asks already gets the same answer. */
  readonly #underWay = new Map<string, Promise<number>>()
  readonly #tooLong = new Cache<string, true>(REMEMBERED)

  constructor(db: Database, clock: Clock = systemClock) {
    this.#db = db
    this.#quick = new ResolutionThread(db.source, clock)
    this.#long = new ResolutionThread(db.source, clock)
  }

  /** The root of what states come to, written. It is kept where `resolvedRoot` finds it. The states must be committed. */
  resolve({ roomId, version, roots }: States): Promise<number> {
    const distinct = distinctOf(roots)
    if (distinct.length < 2) return Promise.resolve(distinct[0] ?? 0)
    const name = distinct.join(' ')
    const underWay = this.#underWay.get(name)
    if (underWay) return underWay
    const resolved = this.#resolved({ roomId, version, roots: distinct }, name)
      .catch((cause: unknown) => {
        if (!(cause instanceof TooManyWaiting)) throw cause
        throw new MatrixError('M_LIMIT_EXCEEDED', 'too much has to be worked out in this room; try again later', {
          cause,
        })
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
    if ('fault' in answer) throw new Error(`resolving a state failed: ${answer.fault}`)
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

/** What states of a room come to: see {@link Resolutions}. */
export function resolveElsewhere(db: Database, states: States): Promise<number> {
  let resolutions = all.get(db)
  if (!resolutions) all.set(db, (resolutions = new Resolutions(db)))
  return resolutions.resolve(states)
}

/** Ends the threads of a database, where there are any; the next resolution starts others. */
export async function endResolutions(db: Database): Promise<void> {
  await all.get(db)?.close()
}
