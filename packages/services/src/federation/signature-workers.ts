// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { claimHolds, type SignatureClaim } from './signature-claim.ts'

/** Below this, starting a thread takes longer than the work. */
const MANY = 1000
/** Some 60 us each, so that the main thread is held for a few milliseconds. */
const SLICE = 64
/** How much a worker gets at a time: a few milliseconds to pack, some 12 to do. */
const PARCEL = 200
const MAX_WORKERS = 8

/**
 * Checks claims as they come, the main thread never held for long, and many of them on all cores; answers in their order.
 *
 * Threads live as long as one call: what needs them, joining a large room, is rare, and idle threads cost memory.
 */
export async function checkClaims(claims: Iterable<SignatureClaim>, count: number): Promise<boolean[]> {
  return count < MANY ? checkHere(claims) : checkElsewhere(claims, Math.min(MAX_WORKERS, availableParallelism()))
}

async function checkHere(claims: Iterable<SignatureClaim>): Promise<boolean[]> {
  const results: boolean[] = []
  for (const claim of claims) {
    if (results.length % SLICE === SLICE - 1) await nextTurn()
    results.push(claimHolds(claim))
  }
  return results
}

async function checkElsewhere(claims: Iterable<SignatureClaim>, count: number): Promise<boolean[]> {
  const parcels = parcelsOf(claims)
  const results: boolean[][] = []
  let last = 0
  const workers = Array.from({ length: count }, () => new Worker(new URL('./signature-worker.ts', import.meta.url)))
  // Every worker takes the next parcel when it is done with one.
  const keepBusy = async (worker: Worker): Promise<void> => {
    for (;;) {
      await nextTurn()
      const { value: parcel, done } = parcels.next()
      if (done) return
      const place = last++
      worker.postMessage(parcel)
      const [answer] = (await once(worker, 'message')) as [boolean[]]
      results[place] = answer
    }
  }
  try {
    await Promise.all(workers.map(keepBusy))
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return results.flat()
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

/** Lets everything else that is ready run first. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
