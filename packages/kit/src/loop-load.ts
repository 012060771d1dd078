// SPDX-License-Identifier: Apache-2.0
import { performance } from 'node:perf_hooks'

/** Measures the load of this process's event loop. */
export interface LoopLoad {
  /** The part of the last moments in which it had work, from 0 to 1. */
  share(): number
}

/** An event loop without load, for tests. */
export const idleLoop: LoopLoad = { share: () => 0 }

const WINDOW_MS = 100

/** The load of this thread's event loop over its last tenth of a second or more, as `perf_hooks` counts it. */
export class EventLoopLoad implements LoopLoad {
  #since = performance.eventLoopUtilization()
  #share = 0

  share(): number {
    const { active, idle, utilization } = performance.eventLoopUtilization(this.#since)
    if (active + idle < WINDOW_MS) return this.#share
    this.#since = performance.eventLoopUtilization()
    this.#share = utilization
    return utilization
  }
}

/** Begins a measurement of this thread's event loop; the function returned tells the part of the time since in which it had work. */
export function loopLoadSince(): () => number {
  const since = performance.eventLoopUtilization()
  return () => performance.eventLoopUtilization(since).utilization
}
