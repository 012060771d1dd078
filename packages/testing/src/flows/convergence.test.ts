// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { converge, TOWNS_PER_GROUND } from '../convergence/converge.ts'

/** Grounds at once: one computes while another waits for its disk. */
const AT_ONCE = 2
const SEEDS = 100

describe('three servers whose network loses, delays, reorders and parts', () => {
  test('have the same room when it is healed, for a hundred seeds', async () => {
    const grounds = Array.from({ length: SEEDS / TOWNS_PER_GROUND }, (_, number) => number * TOWNS_PER_GROUND)
    const outcomes = { together: 0, apart: 0, events: 0 }
    const live = async () => {
      for (let first = grounds.shift(); first !== undefined; first = grounds.shift()) {
        for await (const { servers, causes, events } of converge({ first, count: TOWNS_PER_GROUND })) {
          if (servers > 1) outcomes.together++
          outcomes.apart += causes.length
          outcomes.events += events
        }
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, live))
    // A town in which nobody speaks, or everybody has left, or each is alone, proves nothing.
    assert.ok(outcomes.together > 0.8 * SEEDS)
    assert.ok(outcomes.events > 15 * SEEDS)
    assert.ok(outcomes.apart < 0.02 * 3 * SEEDS)
  })
})
