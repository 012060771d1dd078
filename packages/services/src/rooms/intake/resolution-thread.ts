// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Turns } from '@myelin/kit/turns'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Database } from '@myelin/storage/database'
import { changeState } from '@myelin/storage/state'
import { distinctOf, keepResolution } from './resolve-roots.ts'
import type { ResolvedRoots } from './resolve-roots.ts'

const MOST_MEMORY_MB = 1024
/** So many changes of a state are written in a unit. */
const CHANGES_A_UNIT = 100

/** Whole states by their roots. */
export interface States {
  readonly version: RoomVersion
  readonly roots: readonly number[]
}

type Answer = ResolvedRoots | { readonly fault: string }

/** A thread with a reader of its own, which resolves one thing after the other; it starts with the first. */
class ResolutionThread {
  readonly #turns = new Turns(1)
  readonly #db: Database
  #worker: Worker | undefined

  constructor(db: Database) {
    this.#db = db
  }

  resolve(states: States): Promise<ResolvedRoots> {
    return this.#turns.run(async () => {
      // A thread that had nothing to do for a while ends, which may be just now.
      const answer = (await this.#asked(states)) ?? (await this.#asked(states)) ?? { fault: 'the thread ended' }
      if ('fault' in answer) throw new Error(`resolving a state failed: ${answer.fault}`)
      return answer
    })
  }

  /** What the thread says; undefined where it ends instead. */
  async #asked({ version, roots }: States): Promise<Answer | undefined> {
    const worker = this.#running()
    const over = new AbortController()
    const ended = once(worker, 'exit', over).then(() => undefined)
    const answered = once(worker, 'message', over).then(([answer]) => answer as Answer)
    worker.postMessage({ version: version.id, roots })
    // A thread that only waits does not keep the house from ending.
    worker.ref()
    try {
      return await Promise.race([answered, ended])
    } finally {
      worker.unref()
      over.abort()
    }
  }

  #running(): Worker {
    if (this.#worker) return this.#worker
    const worker = new Worker(new URL('./resolution-worker.ts', import.meta.url), {
      workerData: this.#db.source,
      // What is too much for it must not end the process.
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY_MB },
    })
    const forget = () => {
      if (this.#worker === worker) this.#worker = undefined
    }
    worker.once('exit', forget)
    worker.once('error', forget)
    this.#worker = worker
    return worker
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }
}

const threads = new WeakMap<Database, ResolutionThread>()

/**
 * What states come to, resolved on another thread and written. It is kept where {@link mergedRoot} finds it. The states
 * must be committed.
 */
export async function resolveElsewhere(db: Database, { version, roots }: States): Promise<number> {
  const distinct = distinctOf(roots)
  if (distinct.length < 2) return distinct[0] ?? 0
  let thread = threads.get(db)
  if (!thread) threads.set(db, (thread = new ResolutionThread(db)))
  const { base, changes } = await thread.resolve({ version, roots: distinct })
  let root = base
  for (let at = 0; at < changes.length; at += CHANGES_A_UNIT) {
    const from = root
    root = await db.write((tx) => changeState(tx, from, changes.slice(at, at + CHANGES_A_UNIT)))
  }
  keepResolution(db.read, distinct, { base: root, changes: [] })
  return root
}

/** Ends the thread of a database, where there is one; the next resolution starts another. */
export async function endResolutions(db: Database): Promise<void> {
  await threads.get(db)?.close()
}
