// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomId } from '@myelin/matrix/ids'
import fc from 'fast-check'
import { latestFirst } from './latest-first.ts'

test('several rooms are handed out as one sorted list would be, whatever the size of their pages', async () => {
  const places = fc.uniqueArray(fc.nat(200), { maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(
      places,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 7 }),
      async (all, count, size) => {
        const rooms = Array.from({ length: count }, (_, index) => ({
          roomId: `!${index}` as RoomId,
          places: all.filter((place) => place % count === index).sort((a, b) => b - a),
        }))
        const ends = rooms.map(({ roomId, places: [last = 0] }) => ({ roomId, before: last + 1 }))
        const read = async (roomId: RoomId, before: number) =>
          rooms
            .filter((room) => room.roomId === roomId)
            .flatMap((room) => room.places.filter((place) => place < before).slice(0, size))
            .map((position) => ({ position }))
        const handed: number[] = []
        for await (const { position } of latestFirst(ends, read)) handed.push(position)
        assert.deepEqual(
          handed,
          all.toSorted((a, b) => b - a),
        )
      },
    ),
  )
})
