// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { putMembership } from '../rooms/members/members.ts'
import { createRoomRow } from '../rooms/rooms.ts'
import { memberNews, moveDirectory, putUserWords, usersByWord } from './user-words.ts'

const users = ['@me:a', '@b:a', '@c:a'].map((id) => id as UserId)
const [me] = users as [UserId]
const member = fc.record({ user: fc.constantFrom(...users), room: fc.nat(1), isIn: fc.boolean() })
const words = fc.record({
  user: fc.constantFrom(...users),
  words: fc.uniqueArray(fc.constantFrom('anna', 'an', 'änne', 'bob', '\u{1f600}', 'a\u{10ffff}'), { maxLength: 3 }),
})

onEveryDatabase('the words of users', (open) => {
  test('find whom a look at every user and every room would find', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(member, { maxLength: 8 }),
        fc.array(words, { maxLength: 5 }),
        fc.constantFrom('', 'a', 'an', 'anna', 'ä', 'b', '\u{1f600}'),
        async (members, named, prefix) => {
          const db = await open()
          const joined = new Set<string>()
          const wordsOf = new Map<UserId, readonly string[]>()
          await db.write(async (tx) => {
            const rooms = [0, 1].map((n) => createRoomRow(tx, `!${n}:a` as RoomId, '12'))
            const nids = (await Promise.all(rooms)).map((room) => room.nid)
            for (const { user, room, isIn } of members) {
              const now = { membership: isIn ? 'join' : 'leave', event: tx.takePosition(), position: 1 }
              await putMembership(tx, nids[room] ?? 0, user, now)
              if (isIn) joined.add(`${user} ${room}`)
              else joined.delete(`${user} ${room}`)
            }
            for (const { user, words: theirs } of named) {
              await putUserWords(tx, user, new Set(theirs))
              wordsOf.set(user, theirs)
            }
          })
          for (const sharesRoom of [true, false]) {
            const expected = users.filter((user) => {
              const shares = [0, 1].some((room) => joined.has(`${user} ${room}`) && joined.has(`${me} ${room}`))
              const isNamed = wordsOf.get(user)?.some((word) => word.startsWith(prefix)) ?? false
              return user !== me && isNamed && shares === sharesRoom
            })
            const found = await usersByWord(db.read, { searcher: me, prefix, sharesRoom, limit: 9 })
            assert.deepEqual(found.toSorted(), expected.toSorted())
          }
          await db.close()
        },
      ),
      { numRuns: 12 },
    )
  })

  test('are looked through to their end, however many users have the same one', async () => {
    const db = await open()
    const many = Array.from({ length: 450 }, (_, at) => `@same${at}:a` as UserId)
    const last = many.at(-1) ?? me
    await db.write(async (tx) => {
      const room = await createRoomRow(tx, '!r:a' as RoomId, '12')
      for (const user of many) await putUserWords(tx, user, new Set(['same']))
      for (const user of [me, last]) {
        await putMembership(tx, room.nid, user, { membership: 'join', event: tx.takePosition(), position: 1 })
      }
    })
    const search = { searcher: me, prefix: 'sam' }
    assert.deepEqual(await usersByWord(db.read, { ...search, sharesRoom: true, limit: 9 }), [last])
    assert.deepEqual(await usersByWord(db.read, { ...search, sharesRoom: false, limit: 1000 }), many.slice(0, -1))
    assert.equal((await usersByWord(db.read, { ...search, sharesRoom: false, limit: 300 })).length, 300)
    await db.close()
  })

  test('are brought up to date from the last member event that was seen', async () => {
    const db = await open()
    const event = await db.write(async (tx) => {
      const room = await createRoomRow(tx, '!r:a' as RoomId, '12')
      const at = tx.takePosition()
      await putMembership(tx, room.nid, me, { membership: 'join', event: at, position: at })
      return at
    })
    assert.deepEqual(await memberNews(db.read, 5), [{ userId: me, eventNid: event }])
    await db.write((tx) => moveDirectory(tx, event))
    assert.deepEqual(await memberNews(db.read, 5), [])
    await db.close()
  })
})
