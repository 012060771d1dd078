// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util'
import { converge, SIMULATIONS_PER_POOL } from '@myelin/testing/convergence/converge'

/**
 * `npm run converge -- --seeds 2000`: runs simulations of three servers over a faulty network, and checks that all
 * servers have the same room state afterwards. `--from N` sets the first seed, `--jitter N` delays database results at
 * random, `--show` prints every event of a simulation with a difference. Exits with 1 on a difference.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '0' },
    show: { type: 'boolean' },
    jitter: { type: 'string' },
  },
})
const [from, end] = [Number(values.from), Number(values.from) + Number(values.seeds)]
const total = { simulations: 0, together: 0, failed: 0, 'locked out': 0, 'kept apart': 0, unheard: 0 }
const print = values.show ? (line: string) => console.error(line) : undefined
const startedMs = performance.now()
for (let first = from; first < end; first += SIMULATIONS_PER_POOL) {
  try {
    for await (const { servers, causes } of converge({
      first,
      count: Math.min(SIMULATIONS_PER_POOL, end - first),
      jitter: values.jitter,
      print,
    })) {
      total.simulations++
      if (servers > 1) total.together++
      for (const cause of causes) total[cause]++
    }
  } catch (cause) {
    total.failed++
    console.error(cause)
  }
}
console.log(JSON.stringify(total), `${Math.round((performance.now() - startedMs) / (end - from))} ms each`)
if (total.failed > 0) process.exitCode = 1
