// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { converge, SIMULATIONS_PER_POOL } from '../convergence/converge.ts'

/** Grounds at once: one computes while another waits for its disk. */
const AT_ONCE = 2
const SEEDS = 100

describe('three servers whose network loses, delays, reorders and parts', () => {
  test('have the same room when it is healed, for a hundred seeds', async () => {
    const grounds = Array.from({ length: SEEDS / SIMULATIONS_PER_POOL }, (_, number) => number * SIMULATIONS_PER_POOL)
    const outcomes = { together: 0, apart: 0, events: 0 }
    const live = async () => {
      for (let first = grounds.shift(); first !== undefined; first = grounds.shift()) {
        for await (const { servers, causes, events } of converge({ first, count: SIMULATIONS_PER_POOL })) {
          if (servers > 1) outcomes.together++
          outcomes.apart += causes.length
          outcomes.events += events
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, live))
    // A simulation in which nobody speaks, or everybody has left, or each is alone, proves nothing.
    assert.ok(outcomes.together > 0.8 * SEEDS)
    assert.ok(outcomes.events > 15 * SEEDS)
    assert.ok(outcomes.apart < 0.02 * 3 * SEEDS)
  })
})
