// SPDX-License-Identifier: Apache-2.0
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { Gauge } from 'prom-client'
import type { Registry } from 'prom-client'
import { nextTurn } from './next-turn.ts'

const NS_PER_SECOND = 1e9
const MS_PER_SECOND = 1000

type Delays = ReturnType<typeof monitorEventLoopDelay>
type Part = readonly [name: string, what: string, nanoseconds: (delays: Delays) => number]

const PARTS: readonly Part[] = [
  ['min', 'shortest', ({ min }) => min],
  ['max', 'longest', ({ max }) => max],
  ['mean', 'mean', ({ mean }) => mean],
  ['stddev', 'standard deviation of the', ({ stddev }) => stddev],
  ['p50', '50th percentile of the', (delays) => delays.percentile(50)],
  ['p90', '90th percentile of the', (delays) => delays.percentile(90)],
  ['p99', '99th percentile of the', (delays) => delays.percentile(99)],
]

/**
 * Exports the length of event loop turns in seconds since the last scrape, under the names that dashboards use
 * (`nodejs_eventloop_lag_*`), and the present delay of a task. Replaces prom-client's metrics of these names.
 *
 * Every turn is a sample. prom-client samples a timer of 10 ms instead, which runs an idle process a hundred times a
 * second and counts these 10 ms as delay.
 */
export function showEventLoopLag(registry: Registry): void {
  const delays = monitorEventLoopDelay({ samplePerIteration: true })
  delays.enable()
  for (const [part, what, nanoseconds] of PARTS) {
    show(registry, `_${part}`, `The ${what} turn of the event loop.`, () =>
      delays.count === 0 ? 0 : nanoseconds(delays) / NS_PER_SECOND,
    )
  }
  // The last of them, so that it begins anew what the others have shown.
  show(registry, '', 'How long a task that was due at once waited for its turn.', async () => {
    delays.reset()
    const startedMs = performance.now()
    await nextTurn()
    return (performance.now() - startedMs) / MS_PER_SECOND
  })
}

function show(registry: Registry, part: string, help: string, seconds: () => number | Promise<number>): void {
  const name = `nodejs_eventloop_lag${part}_seconds`
  registry.removeSingleMetric(name)
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      const value = seconds()
      if (typeof value === 'number') return this.set(value)
      return value.then((later) => this.set(later))
    },
  })
}
