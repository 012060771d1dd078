// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { putReceipt, receiptsBetween } from './receipts.ts'
import type { Receipt } from './receipts.ts'
import { createRoomRow } from '../rooms/rooms.ts'

const room = '!room:one.test' as RoomId
const alice = '@alice:one.test' as UserId
const bob = '@bob:one.test' as UserId

onEveryDatabase('receipts', (open) => {
  const write = fc.record(
    {
      roomId: fc.constant(room),
      userId: fc.constantFrom(alice, bob),
      kind: fc.constantFrom('m.read' as const, 'm.read.private' as const),
      threadId: fc.constantFrom('', 'main', '$root', '__proto__'),
      at: fc.nat(5),
      ts: fc.nat(),
    },
    { noNullPrototype: true },
  )

  test('behave like a map from (user, kind, thread) to the furthest event, whatever the order of writes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 12 }), async (writes) => {
        const db = await open()
        await db.write((tx) => createRoomRow(tx, room, '12'))
        const model = new Map<string, Receipt>()
        for (const { at, ...rest } of writes) {
          const receipt = { ...rest, eventId: `$${at}` as EventId, eventPosition: at }
          const key = JSON.stringify([receipt.userId, receipt.kind, receipt.threadId])
          const isFurther = at > (model.get(key)?.eventPosition ?? -1)
          assert.equal(await db.write((tx) => putReceipt(tx, receipt)), isFurther)
          if (!isFurther) continue
          model.delete(key)
          model.set(key, receipt)
        }
        const last = await db.position()
        assert.deepEqual(await receiptsBetween(db.read, room, 0, last), [...model.values()])
        assert.deepEqual(await receiptsBetween(db.read, room, last, last), [])
        await db.close()
      }),
      { numRuns: 15 },
    )
  })

  test('wake the room, but private ones only the user', async () => {
    const woken: string[] = []
    const db = await open({ committed: ({ topics }) => void woken.push(...topics) })
    await db.write((tx) => createRoomRow(tx, room, '12'))
    woken.length = 0
    const receipt = { roomId: room, userId: alice, threadId: '', eventId: '$1' as EventId, eventPosition: 1, ts: 1 }
    await db.write((tx) => putReceipt(tx, { ...receipt, kind: 'm.read' }))
    await db.write((tx) => putReceipt(tx, { ...receipt, kind: 'm.read.private' }))
    const waitedFor = woken.filter((topic) => topic === room || topic === alice)
    assert.deepEqual(waitedFor, [room, alice])
    await db.close()
  })

  test('of a room we do not have are not kept', async () => {
    const db = await open()
    const receipt = { roomId: room, userId: alice, threadId: '', eventId: '$1' as EventId, eventPosition: 1, ts: 1 }
    assert.equal(await db.write((tx) => putReceipt(tx, { ...receipt, kind: 'm.read' })), false)
    await db.close()
  })
})
