// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextTurn } from './next-turn.ts'
import { MAX_TURN_COST_US, pause, spend, step, takeLongestTurn } from './turn.ts'

test('a turn goes on until its work is done or enough', async () => {
  await nextTurn()
  assert.equal(pause(), undefined)
  spend(MAX_TURN_COST_US)
  assert.ok(pause() instanceof Promise)
  await pause()
  assert.equal(pause(), undefined)
})

test('loops that pause at each step take no more than a turn holds, one after the other or beside each other', async () => {
  await nextTurn()
  takeLongestTurn()
  const loop = async () => {
    for (let at = 0; at < 100; at++) await step(200)
  }
  await loop()
  assert.ok(takeLongestTurn() <= MAX_TURN_COST_US)
  await Promise.all([loop(), loop(), loop()])
  assert.ok(takeLongestTurn() <= MAX_TURN_COST_US + 2 * 200)
})

test('everything else that is ready runs at a pause', async () => {
  let others = 0
  const count = () => {
    others++
    if (others < 10) setImmediate(count)
  }
  setImmediate(count)
  for (let at = 0; at < 20; at++) await step(MAX_TURN_COST_US)
  assert.equal(others, 10)
})
