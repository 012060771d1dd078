// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventId, ServerName, UserId } from '@myelin/matrix/ids'
import { queueEdu, serversWaitedFor, waitingEdus } from '@myelin/storage/federation/outgoing-edus'
import { relayEvent } from '@myelin/storage/federation/outgoing-events'
import { relayedEvents } from '@myelin/testing/stored-rows'
import { policyRuling, putPolicyRuling } from '@myelin/storage/rooms/policy-rulings'
import { earlierAnswer, rememberAnswer } from '@myelin/storage/accounts/transactions'
import { onEveryDatabase } from '@myelin/testing/databases'
import { authorRoom } from '@myelin/testing/room-author'
import { testRuntime } from '@myelin/testing/runtime'
import { ANSWERS_KEPT_MS, startMaintenance, RULINGS_KEPT_MS, UNSENT_KEPT_MS } from './maintenance.ts'

test('answers to requests are kept for a day, and not for ever', async () => {
  const rt = await testRuntime()
  const stop = startMaintenance(rt)
  const key = { userId: '@a:one.test' as UserId, deviceId: 'D', endpoint: 'PUT x', txnId: '1' }
  await rt.db.write((tx) => rememberAnswer(tx, key, '$first', rt.clock.now()))
  // A unit of our own comes after those that the clock set off.
  const settled = () => rt.db.write(async () => {})
  rt.clock.jump(ANSWERS_KEPT_MS - 3_600_000)
  await settled()
  assert.equal(await earlierAnswer(rt.db.read, key), '$first')
  rt.clock.jump(2 * 3_600_000)
  await settled()
  assert.equal(await earlierAnswer(rt.db.read, key), undefined)
  stop()
  await rt.close()
})

test('the ruling of a policy server is kept for 30 days', async () => {
  const rt = await testRuntime()
  const stop = startMaintenance(rt)
  const event = '$said' as EventId
  await rt.db.write((tx) => putPolicyRuling(tx, event, { refusal: 'no', ruledTs: rt.clock.now() }))
  rt.clock.jump(RULINGS_KEPT_MS - 3_600_000)
  await rt.db.write(async () => {})
  assert.equal((await policyRuling(rt.db.read, event))?.refusal, 'no')
  rt.clock.jump(2 * 3_600_000)
  await rt.db.write(async () => {})
  assert.equal(await policyRuling(rt.db.read, event), undefined)
  stop()
  await rt.close()
})

onEveryDatabase('data for servers that do not return', (open) => {
  test('is kept for 30 days, and then goes in steps', async () => {
    const rt = await testRuntime(open)
    const stop = startMaintenance(rt)
    const room = await authorRoom(rt, '@a:one.test')
    const [old, young] = [await room.say('@a:one.test', 'old'), await room.say('@a:one.test', 'young')]
    const [gone, back] = ['gone.test', 'back.test'] as [ServerName, ServerName]
    const soonTs = rt.clock.now() - UNSENT_KEPT_MS + 1.5 * 3_600_000
    await rt.db.write(async (tx) => {
      await relayEvent(tx, old, soonTs)
      for (let number = 0; number < 1100; number++) await queueEdu(tx, gone, '{}', soonTs)
      await relayEvent(tx, young, rt.clock.now())
      await queueEdu(tx, back, '{}', rt.clock.now())
    })
    rt.clock.jump(3_600_000)
    for (let units = 0; units < 10; units++) await rt.db.write(async () => {})
    assert.equal((await waitingEdus(rt.db.read, gone, 2000)).length, 1100)
    assert.deepEqual(new Set(await relayedEvents(rt.db.read)), new Set([old, young]))
    rt.clock.jump(3_600_000)
    for (let units = 0; units < 100; units++) {
      await rt.db.write(async () => {})
      if ((await relayedEvents(rt.db.read)).length === 1) break
    }
    assert.deepEqual(await serversWaitedFor(rt.db.read), [back])
    assert.deepEqual(await relayedEvents(rt.db.read), [young])
    stop()
    await rt.close()
  })
})
