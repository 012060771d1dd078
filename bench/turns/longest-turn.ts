// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'

/** The longest turn of the event loop during a request, and the status of its answer. */
export interface Turn {
  readonly ms: number
  readonly status: number
}

/** A line of the table: the worst request of an endpoint. */
export interface WorstTurn extends Turn {
  readonly endpoint: string
  readonly request: string
}

const ROUNDS = 5
/** The exactness of a thread's processor time on Linux. Turns are no longer than that plus one tick, even if other programs ran meanwhile. */
const CPU_TICK_MS = 4

/**
 * Returns the longest turn during a request, the shortest of five rounds: other processes on the machine, garbage and compilation
 * only make a turn longer. A round far below the limit ends the search.
 */
export async function longestTurn(request: () => Promise<number>, limitMs: number): Promise<Turn> {
  let best = await turnOf(request)
  for (let round = 1; round < ROUNDS && best.ms > limitMs / 3; round++) {
    const turn = await turnOf(request)
    if (turn.ms < best.ms) best = turn
  }
  return best
}

async function turnOf(request: () => Promise<number>): Promise<Turn> {
  let status: number | undefined
  let failure: unknown
  let startMs = performance.now()
  let cpu = process.threadCpuUsage()
  request().then(
    (answered) => (status = answered),
    (cause: unknown) => (failure = cause),
  )
  let ms = 0
  while (status === undefined && failure === undefined) {
    await nextTurn()
    const nowMs = performance.now()
    const { user, system } = process.threadCpuUsage(cpu)
    ms = Math.max(ms, Math.min(nowMs - startMs, (user + system) / 1000 + CPU_TICK_MS))
    startMs = nowMs
    cpu = process.threadCpuUsage()
  }
  if (status === undefined) throw failure
  return { ms, status }
}

/** Prints the worst turns, the longest first, and returns how many are longer than the limit. */
export function printTurns(title: string, limitMs: number, turns: readonly WorstTurn[]): number {
  console.log(`\n${title}: at most ${limitMs} ms a turn`)
  const sorted = turns.toSorted((a, b) => b.ms - a.ms)
  console.table(
    sorted.map(({ endpoint, request, ms, status }) => ({
      endpoint,
      'worst request': request,
      status,
      'longest turn ms': Number(ms.toFixed(1)),
      late: ms > limitMs ? 'LATE' : '',
    })),
  )
  return sorted.filter(({ ms }) => ms > limitMs).length
}
