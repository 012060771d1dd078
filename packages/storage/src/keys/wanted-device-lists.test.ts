// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import {
  dropWantedDeviceList,
  dueDeviceLists,
  postponeDeviceList,
  takeDeviceLists,
  wantDeviceList,
  wantedDeviceList,
} from './wanted-device-lists.ts'

const [alice, bob, carol] = ['@alice:two.test', '@bob:two.test', '@carol:two.test'] as [UserId, UserId, UserId]

onEveryDatabase('device lists that are to be fetched', (open) => {
  test('come in the order of their time, are taken once, and wait after a failure', async () => {
    const db = await open()
    await db.write(async (tx) => {
      await wantDeviceList(tx, bob, 20)
      await wantDeviceList(tx, alice, 10)
      await wantDeviceList(tx, carol, 40)
    })
    assert.deepEqual(await dueDeviceLists(db.read, 9, 10), [])
    assert.deepEqual(await dueDeviceLists(db.read, 30, 10), [alice, bob])
    assert.deepEqual(await dueDeviceLists(db.read, 30, 1), [alice])
    const take = () => db.write((tx) => takeDeviceLists(tx, [alice, bob, carol], { now: 30, until: 100 }))
    const taken = (await take()).toSorted((a, b) => (a.userId < b.userId ? -1 : 1))
    assert.deepEqual(taken, [
      { userId: alice, tries: 0, retryTs: 100 },
      { userId: bob, tries: 0, retryTs: 100 },
    ])
    assert.deepEqual(await take(), [])
    await db.write(async (tx) => {
      await postponeDeviceList(tx, { userId: bob, tries: 3, retryTs: 200 })
      await wantDeviceList(tx, bob, 5)
      await dropWantedDeviceList(tx, alice)
    })
    assert.deepEqual(await wantedDeviceList(db.read, bob), { userId: bob, tries: 3, retryTs: 200 })
    assert.equal(await wantedDeviceList(db.read, alice), undefined)
    await db.close()
  })
})
