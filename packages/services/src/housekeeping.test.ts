// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, UserId } from '@myelin/matrix/ids'
import { policyRuling, putPolicyRuling } from '@myelin/storage/policy-rulings'
import { earlierAnswer, rememberAnswer } from '@myelin/storage/transactions'
import { testRuntime } from '@myelin/testing/runtime'
import { ANSWERS_KEPT_MS, keepHouse, RULINGS_KEPT_MS } from './housekeeping.ts'

test('answers to requests are kept for a day, and not for ever', async () => {
  const rt = await testRuntime()
  const stop = keepHouse(rt)
  const key = { userId: '@a:one.test' as UserId, deviceId: 'D', endpoint: 'PUT x', txnId: '1' }
  await rt.db.write((tx) => rememberAnswer(tx, key, '$first', rt.clock.now()))
  // A unit of our own comes after those that the clock set off.
  const settled = () => rt.db.write(async () => {})
  rt.clock.advance(ANSWERS_KEPT_MS - 3_600_000)
  await settled()
  assert.equal(await earlierAnswer(rt.db.read, key), '$first')
  rt.clock.advance(2 * 3_600_000)
  await settled()
  assert.equal(await earlierAnswer(rt.db.read, key), undefined)
  stop()
  await rt.close()
})

test('what was said as a policy server stands for 30 days', async () => {
  const rt = await testRuntime()
  const stop = keepHouse(rt)
  const event = '$said' as EventId
  await rt.db.write((tx) => putPolicyRuling(tx, event, { refusal: 'no', ruledTs: rt.clock.now() }))
  rt.clock.advance(RULINGS_KEPT_MS - 3_600_000)
  await rt.db.write(async () => {})
  assert.equal((await policyRuling(rt.db.read, event))?.refusal, 'no')
  rt.clock.advance(2 * 3_600_000)
  await rt.db.write(async () => {})
  assert.equal(await policyRuling(rt.db.read, event), undefined)
  stop()
  await rt.close()
})
