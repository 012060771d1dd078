// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { putDevice } from '../accounts/devices.ts'
import { dropToDevice, queueToDevice, reachableDevices, waitingToDevice } from './to-device.ts'

const alice = '@alice:one.test' as UserId
const bob = '@bob:one.test' as UserId

onEveryDatabase('messages to devices', (open) => {
  test('wait in a queue per device, of which the front can be dropped', async () => {
    const step = fc.oneof(
      fc.record({ device: fc.constantFrom('A', 'B'), message: fc.string() }),
      fc.record({ device: fc.constantFrom('A', 'B'), drop: fc.nat(3) }),
    )
    const db = await open()
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const user = `@user:run${++run}.test` as UserId
        const model = new Map<string, string[]>([
          ['A', []],
          ['B', []],
        ])
        const waiting = async (device: string) =>
          waitingToDevice(db.read, user, device, { after: 0, upTo: await db.position(), limit: 100 })
        for (const now of steps) {
          const queue = model.get(now.device) ?? []
          if ('message' in now) {
            const message = JSON.stringify(now.message)
            await db.write((tx) => queueToDevice(tx, user, now.device, message))
            queue.push(message)
          } else {
            const position = (await waiting(now.device))[now.drop - 1]?.position ?? 0
            await db.write((tx) => dropToDevice(tx, user, now.device, position))
            if (position > 0) queue.splice(0, now.drop)
          }
        }
        for (const [device, queue] of model) {
          assert.deepEqual(
            (await waiting(device)).map(({ message }) => message),
            queue,
          )
        }
      }),
      { numRuns: 40 },
    )
    await db.close()
  })

  test('come a hundred at a time', async () => {
    const db = await open()
    await db.write(async (tx) => {
      for (let at = 0; at < 101; at++) await queueToDevice(tx, alice, 'A', `${at}`)
    })
    const upTo = await db.position()
    const first = await waitingToDevice(db.read, alice, 'A', { after: 0, upTo, limit: 100 })
    assert.equal(first.length, 100)
    const rest = await waitingToDevice(db.read, alice, 'A', { after: first.at(-1)?.position ?? 0, upTo, limit: 100 })
    assert.deepEqual(
      rest.map(({ message }) => message),
      ['100'],
    )
    await db.close()
  })

  test('reach the devices that are there', async () => {
    const db = await open()
    await db.write(async (tx) => {
      for (const deviceId of ['A', '__proto__'])
        await putDevice(tx, alice, { deviceId, displayName: null, createdTs: 0 })
    })
    assert.deepEqual(await reachableDevices(db.read, [alice, bob]), new Map([[alice, new Set(['A', '__proto__'])]]))
    await db.close()
  })
})
