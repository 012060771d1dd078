// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { converge, SIMULATIONS_PER_POOL } from '../convergence/converge.ts'
import { sizeOf } from '../test-length.ts'

/** Server pools at a time: one computes while another waits for its disk. */
const CONCURRENCY = 2
const SEEDS = sizeOf({ short: 40, full: 300 })

describe('three servers whose network loses, delays and reorders messages, and splits', () => {
  test(`have the same room state after the network heals, for ${SEEDS} seeds`, async () => {
    const pools = Array.from({ length: SEEDS / SIMULATIONS_PER_POOL }, (_, number) => number * SIMULATIONS_PER_POOL)
    const outcomes = { together: 0, apart: 0, events: 0 }
    const live = async () => {
      for (let first = pools.shift(); first !== undefined; first = pools.shift()) {
        for await (const { servers, causes, events } of converge({ first, count: SIMULATIONS_PER_POOL })) {
          if (servers > 1) outcomes.together++
          outcomes.apart += causes.length
          outcomes.events += events
        }
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, live))
    // A simulation without events, or with fewer than two servers in the room, proves nothing.
    assert.ok(outcomes.together > 0.8 * SEEDS)
    assert.ok(outcomes.events > 15 * SEEDS)
    assert.ok(outcomes.apart < 0.02 * 3 * SEEDS)
  })
})
