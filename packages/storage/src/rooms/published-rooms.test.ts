// SPDX-License-Identifier: Apache-2.0
import type { RoomAlias, RoomId, UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aliasesOf, aliasTarget, putAlias, removeAlias } from './aliases.ts'
import { publishedCount, publishedRooms } from './published-rooms.ts'
import type { PublishedRoom } from './published-rooms.ts'
import { createRoomRow, publishRoom } from './rooms.ts'

const roomId = (n: number) => `!room${n}:one.test` as RoomId
const alice = '@alice:one.test' as UserId

onEveryDatabase('published rooms', (open) => {
  const rooms = fc.array(fc.record({ joined: fc.nat(3), isPublished: fc.boolean() }), { maxLength: 12 })

  test('are a list by size, and pages joined in either direction are the whole', async () => {
    await fc.assert(
      fc.asyncProperty(rooms, fc.integer({ min: 1, max: 4 }), async (drawn, limit) => {
        const db = await open()
        await db.write(async (tx) => {
          for (const [n, { joined, isPublished }] of drawn.entries()) {
            await createRoomRow(tx, roomId(n), '12')
            await publishRoom(tx, roomId(n), isPublished)
            await tx.updateTable('rooms').set({ joined_count: joined }).where('room_id', '=', roomId(n)).execute()
            tx.touch(roomId(n))
          }
        })
        const listed = drawn
          .map(({ joined, isPublished }, n) => ({ roomId: roomId(n), joinedCount: joined, isPublished }))
          .filter((room) => room.isPublished && room.joinedCount > 0)
          .toSorted((a, b) => b.joinedCount - a.joinedCount)
          .map((room) => room.roomId)
        const forward: PublishedRoom[] = []
        for (;;) {
          const last = forward.at(-1)
          const page = await publishedRooms(db.read, { ...(last ? { after: last } : {}), limit })
          forward.push(...page)
          if (page.length < limit) break
        }
        assert.deepEqual(
          forward.map((room) => room.roomId),
          listed,
        )
        const end = forward.at(-1)
        const backward = end ? [end] : []
        for (let first = end; first; first = backward[0]) {
          const page = await publishedRooms(db.read, { before: first, limit })
          if (page.length === 0) break
          backward.unshift(...page)
        }
        assert.deepEqual(backward, forward)
        assert.equal(await publishedCount(db.read), listed.length)
        await db.close()
      }),
      { numRuns: 10 },
    )
  })

  test('start nowhere after a room we never had', async () => {
    const db = await open()
    await db.write((tx) => createRoomRow(tx, roomId(1), '12'))
    assert.deepEqual(await publishedRooms(db.read, { after: { roomId: roomId(2), joinedCount: 9 }, limit: 5 }), [])
    await db.close()
  })
})

onEveryDatabase('aliases', (open) => {
  test('behave like a map from alias to room, in which nothing is overwritten', async () => {
    const alias = fc.constantFrom('#a:one.test', '#b:one.test', '#__proto__:one.test').map((text) => text as RoomAlias)
    const step = fc.record({ alias, room: fc.nat(2), isRemoved: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const db = await open()
        await db.write(async (tx) => {
          for (const n of [0, 1]) await createRoomRow(tx, roomId(n), '12')
        })
        const model = new Map<RoomAlias, RoomId>()
        for (const { alias: name, room, isRemoved } of steps) {
          if (isRemoved) {
            await db.write((tx) => removeAlias(tx, name))
            model.delete(name)
            continue
          }
          // There is no third room.
          const isTaken = model.has(name) || room === 2
          const wanted = { alias: name, roomId: roomId(room), creator: alice }
          assert.equal(await db.write((tx) => putAlias(tx, wanted, 1)), !isTaken)
          if (!isTaken) model.set(name, roomId(room))
        }
        for (const n of [0, 1, 2]) {
          const mine = [...model].filter(([, id]) => id === roomId(n)).map(([name]) => name)
          assert.deepEqual((await aliasesOf(db.read, roomId(n))).toSorted(), mine.toSorted())
        }
        for (const [name, id] of model) {
          assert.deepEqual(await aliasTarget(db.read, name), { alias: name, roomId: id, creator: alice })
        }
        await db.close()
      }),
      { numRuns: 10 },
    )
  })
})
