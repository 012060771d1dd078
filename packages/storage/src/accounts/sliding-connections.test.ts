// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import {
  dropSlidingConnections,
  dropUnusedConnections,
  putSlidingConnection,
  putSlidingStep,
  slidingConnectionsOf,
  slidingStepsUpTo,
} from './sliding-connections.ts'

const alice = '@alice:one.test' as UserId
const phone = { deviceId: 'PHONE', connId: 'rooms', usedTs: 1000 }

onEveryDatabase('the connections of sliding sync', (open) => {
  test('are one for a name, and know their steps from the last whole one on', async () => {
    const db = await open()
    const first = await db.write((tx) => putSlidingConnection(tx, alice, phone, 'first'))
    const { nid, serial: start } = await db.write((tx) => putSlidingConnection(tx, alice, phone, 'start'))
    assert.deepEqual(await slidingStepsUpTo(db.read, first.nid, first.serial), [])
    const add = (after: number, step: string, isWhole = false, keptFrom = start) =>
      db.write((tx) => putSlidingStep(tx, { nid, after, keptFrom }, { step, isWhole }))
    const textsUpTo = async (serial: number | undefined) =>
      (await slidingStepsUpTo(db.read, nid, serial ?? 0)).map(({ step }) => step)
    const lost = await add(start, 'lost')
    // The answer of `lost` did not arrive: the client goes on from the step before.
    const kept = (await add(start, 'kept')) ?? 0
    assert.deepEqual([await textsUpTo(lost), await textsUpTo(kept)], [[], ['start', 'kept']])
    assert.equal(await add(lost ?? 0, 'after the lost one'), undefined)
    const whole = (await add(kept, 'whole', true)) ?? 0
    assert.deepEqual([await textsUpTo(whole), await textsUpTo(kept)], [['whole'], ['start', 'kept']])
    const last = await add(whole, 'last', false, whole)
    assert.deepEqual([await textsUpTo(last), await textsUpTo(kept)], [['whole', 'last'], []])
    await db.close()
  })

  test('are ten for a device, and go with it or when nobody uses them', async () => {
    const db = await open()
    const names = async () => (await slidingConnectionsOf(db.read, alice)).map(({ connId }) => connId).toSorted()
    for (let serial = 0; serial < 12; serial++)
      await db.write((tx) => putSlidingConnection(tx, alice, { ...phone, connId: `${serial}`, usedTs: serial }, ''))
    assert.deepEqual(await names(), ['10', '11', '2', '3', '4', '5', '6', '7', '8', '9'])
    await db.write((tx) => putSlidingConnection(tx, alice, { ...phone, deviceId: 'TABLET', usedTs: 6 }, ''))
    assert.equal(await db.write((tx) => dropUnusedConnections(tx, 8, 3)), 3)
    assert.equal(await db.write((tx) => dropUnusedConnections(tx, 8, 500)), 4)
    assert.deepEqual(await names(), ['10', '11', '8', '9'])
    await db.write((tx) => dropSlidingConnections(tx, alice, 'TABLET'))
    assert.equal((await names()).length, 4)
    await db.write((tx) => dropSlidingConnections(tx, alice, 'PHONE'))
    assert.deepEqual(await names(), [])
    assert.deepEqual(await db.read.selectFrom('sliding_steps').selectAll().execute(), [])
    await db.close()
  })
})
