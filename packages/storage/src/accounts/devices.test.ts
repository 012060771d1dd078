// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { topics } from '../engine/topics.ts'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceChangesBetween } from '../keys/device-lists.ts'
import { deleteDevices, deviceOf, devicesOf, isCrossSigningKey, putDevice, renameDevice } from './devices.ts'

const alice = '@alice:one.test' as UserId
const bob = '@bob:one.test' as UserId

onEveryDatabase('devices', (open) => {
  test('behave like a map from user and id to a name that only renaming changes', async () => {
    const step = fc.record({
      kind: fc.constantFrom('put', 'rename', 'delete'),
      user: fc.constantFrom(alice, bob),
      deviceId: fc.constantFrom('A', 'B', 'C'),
      name: fc.option(fc.constantFrom('x', 'y')),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const db = await open()
        const model = new Map<string, string | null>()
        for (const { kind, user, deviceId, name } of steps) {
          const key = `${user} ${deviceId}`
          await db.write(async (tx) => {
            if (kind === 'put') await putDevice(tx, user, { deviceId, displayName: name, createdTs: 1 })
            else if (kind === 'delete') await deleteDevices(tx, user, [deviceId, 'none'])
            else assert.equal(await renameDevice(tx, user, deviceId, name), model.has(key))
          })
          if (kind === 'put' && !model.has(key)) model.set(key, name)
          if (kind === 'rename' && model.has(key)) model.set(key, name)
          if (kind === 'delete') model.delete(key)
        }
        for (const user of [alice, bob]) {
          const expected = ['A', 'B', 'C'].filter((id) => model.has(`${user} ${id}`))
          const devices = await devicesOf(db.read, user)
          assert.deepEqual(
            devices.map((device) => [device.deviceId, device.displayName]),
            expected.map((id) => [id, model.get(`${user} ${id}`)]),
          )
        }
        await db.close()
      }),
      { numRuns: 8 },
    )
  })

  test('take their keys and messages with them, and say once that they changed', async () => {
    const db = await open()
    const owner = (deviceId: string) => ({ user_id: alice, device_id: deviceId })
    await db.write(async (tx) => {
      for (const id of ['A', 'B']) {
        await putDevice(tx, alice, { deviceId: id, displayName: null, createdTs: 1 })
        await tx
          .insertInto('device_keys')
          .values({ ...owner(id), keys: '{}', position: 1 })
          .execute()
        await tx
          .insertInto('to_device')
          .values({ ...owner(id), position: 1, message: '{}' })
          .execute()
        tx.touch(alice)
        tx.touch(topics.keys(alice))
        const key = { ...owner(id), algorithm: 'a', key_id: 'k', key: '{}' }
        await tx
          .insertInto('one_time_keys')
          .values({ ...key, nid: 1, claimed: 0 })
          .execute()
        await tx
          .insertInto('fallback_keys')
          .values({ ...key, used: 0 })
          .execute()
      }
    })
    const before = await db.position()
    await db.write((tx) => deleteDevices(tx, alice, ['A', 'unknown']))
    for (const table of ['device_keys', 'to_device', 'one_time_keys', 'fallback_keys', 'devices'] as const) {
      const rows = await db.read.selectFrom(table).select('device_id').execute()
      assert.deepEqual(
        rows.map((row) => row.device_id),
        ['B'],
        table,
      )
    }
    const after = await db.position()
    assert.deepEqual(await deviceChangesBetween(db.read, alice, before, after), [alice])
    await db.write((tx) => deleteDevices(tx, alice, ['unknown']))
    assert.deepEqual(await deviceChangesBetween(db.read, alice, after, await db.position()), [])
    assert.equal(await deviceOf(db.read, alice, 'A'), undefined)
    await db.close()
  })

  test('may not be called like a cross-signing key of their owner', async () => {
    const db = await open()
    const key = JSON.stringify({ usage: ['master'], keys: { 'ed25519:abc': 'abc' } })
    await db.write(async (tx) => {
      await tx.insertInto('cross_signing_keys').values({ user_id: alice, usage: 'master', key }).execute()
    })
    assert.equal(await isCrossSigningKey(db.read, alice, 'abc'), true)
    assert.equal(await isCrossSigningKey(db.read, alice, 'abcd'), false)
    assert.equal(await isCrossSigningKey(db.read, bob, 'abc'), false)
    await db.close()
  })
})
