// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import { Semaphore } from '@myelin/kit/semaphore'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { claimHolds, type SignatureClaim } from './signature-claim.ts'

/** The number of claims below which starting a thread takes longer than checking them. */
const MANY = 1000
/** Number of claims checked before yielding, about 60 us each. */
const SLICE = 64
/** Number of claims in one message to a worker: a few milliseconds to pack, about 12 to check. */
const PARCEL = 200
const MAX_WORKERS = 8

/**
 * A pool of threads that check signature claims. They start with the first large batch and live until the pool is
 * closed, because joining a large room is rare and idle threads cost memory.
 */
export class SignaturePool {
  /** The number of batches checked at once. */
  readonly size = Math.min(MAX_WORKERS, availableParallelism())
  readonly #all: Worker[] = []
  readonly #idle: Worker[] = []
  readonly #semaphore = new Semaphore(this.size)
  #seen = 0
  #isClosed = false

  /** Checks some claims, the first thousand on this thread in slices; returns the results in their order. */
  async check(claims: readonly SignatureClaim[]): Promise<boolean[]> {
    this.#seen += claims.length
    return this.#seen < MANY ? checkHere(claims) : this.#semaphore.run(() => this.#checkElsewhere(claims))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#all.map((worker) => worker.terminate()))
  }

  async #checkElsewhere(claims: readonly SignatureClaim[]): Promise<boolean[]> {
    if (this.#isClosed) throw new Error('the signature pool is closed')
    const worker = this.#idle.pop() ?? this.#startWorker()
    const over = new AbortController()
    const ended = once(worker, 'exit', over).then(() => undefined)
    const answered = once(worker, 'message', over).then(([answer]) => answer as boolean[])
    worker.postMessage(claims)
    try {
      const answer = await Promise.race([answered, ended])
      if (!answer) throw new Error('a signature worker ended')
      return answer
    } finally {
      over.abort()
      this.#idle.push(worker)
    }
  }

  #startWorker(): Worker {
    const worker = new Worker(new URL('./signature-worker.ts', import.meta.url))
    this.#all.push(worker)
    return worker
  }
}

/**
 * Checks claims as they are generated, in slices on the main thread and, where they are many, on all cores; returns
 * the results in their order.
 */
export async function checkClaims(claims: Iterable<SignatureClaim>, count: number): Promise<boolean[]> {
  if (count < MANY) return checkHere(claims)
  const pool = new SignaturePool()
  const parcels = parcelsOf(claims)
  const results: boolean[][] = []
  let last = 0
  const keepBusy = async (): Promise<void> => {
    for (;;) {
      await nextTurn()
      const { value: parcel, done } = parcels.next()
      if (done) return
      const place = last++
      results[place] = await pool.check(parcel)
    }
  }
  try {
    await Promise.all(Array.from({ length: pool.size }, keepBusy))
  } finally {
    await pool.close()
  }
  return results.flat()
}

async function checkHere(claims: Iterable<SignatureClaim>): Promise<boolean[]> {
  const results: boolean[] = []
  for (const claim of claims) {
    if (results.length % SLICE === SLICE - 1) await nextTurn()
    results.push(claimHolds(claim))
  }
  return results
}

function* parcelsOf(claims: Iterable<SignatureClaim>): Generator<readonly SignatureClaim[], undefined> {
  let parcel: SignatureClaim[] = []
  for (const claim of claims) {
    if (parcel.push(claim) < PARCEL) continue
    yield parcel
    parcel = []
  }
  if (parcel.length > 0) yield parcel
}
