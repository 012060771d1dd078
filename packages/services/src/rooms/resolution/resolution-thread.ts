// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Clock } from '@myelin/kit/clock'
import type { ReaderSource } from '@myelin/storage/engine/reader-source'
import type { ResolvedRoots } from './resolve-roots.ts'

const MAX_MEMORY_MB = 1024

/** States by their roots, for another thread. */
export interface StatesMessage {
  readonly version: string
  readonly roots: readonly number[]
}

/** The outcome of a resolution: its result, an internal fault, a timeout, or the end of the thread. */
export type ThreadAnswer = ResolvedRoots | { readonly fault: string } | 'late' | 'ended'

/** A thread with its own database reader, which runs one resolution at a time; started by the first. */
export class ResolutionThread {
  readonly #source: ReaderSource
  readonly #clock: Clock
  #worker: Worker | undefined

  constructor(source: ReaderSource, clock: Clock) {
    this.#source = source
    this.#clock = clock
  }

  /** Resolves some states; at the time limit the thread is ended, and the next resolution starts another. */
  async resolve(states: StatesMessage, limitMs: number): Promise<ThreadAnswer> {
    // An idle thread ends by itself, which may happen just now.
    const answer = await this.#asked(states, limitMs)
    return answer === 'ended' ? this.#asked(states, limitMs) : answer
  }

  async close(): Promise<void> {
    await this.#worker?.terminate()
  }

  async #asked(states: StatesMessage, limitMs: number): Promise<ThreadAnswer> {
    const worker = this.#running()
    const over = new AbortController()
    const late = Promise.withResolvers<'late'>()
    const timer = this.#clock.later(limitMs, () => late.resolve('late'))
    // An uncaught error of the thread, such as a lack of memory, ends it too.
    const ended = once(worker, 'exit', over).then(
      () => 'ended' as const,
      () => 'ended' as const,
    )
    const answered = once(worker, 'message', over).then(
      ([answer]) => answer as ThreadAnswer,
      () => 'ended' as const,
    )
    worker.postMessage(states)
    // An idle thread does not keep the process running.
    worker.ref()
    try {
      const answer = await Promise.race([answered, ended, late.promise])
      if (answer === 'late') await worker.terminate()
      return answer
    } finally {
      worker.unref()
      timer.cancel()
      over.abort()
    }
  }

  #running(): Worker {
    if (this.#worker) return this.#worker
    const worker = new Worker(new URL('./resolution-worker.ts', import.meta.url), {
      workerData: this.#source,
      // A lack of memory must not end the process.
      resourceLimits: { maxOldGenerationSizeMb: MAX_MEMORY_MB },
    })
    const forget = () => {
      if (this.#worker === worker) this.#worker = undefined
    }
    worker.once('exit', forget)
    worker.once('error', forget)
    this.#worker = worker
    return worker
  }
}
