// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  accountDataBetween,
  accountDataOf,
  accountDataSize,
  ENTRY_OVERHEAD_BYTES,
  putAccountData,
} from './account-data.ts'
import type { AccountData } from './account-data.ts'
import { filterDefinition, MAX_FILTERS, putFilter } from './filters.ts'

const alice = '@alice:one.test' as UserId
const bob = '@bob:one.test' as UserId

onEveryDatabase('account data', (open) => {
  test('has a size in bytes, in all and per entry', async () => {
    const db = await open()
    const entry = { userId: alice, roomId: '' as const, type: 'a' }
    const more = ENTRY_OVERHEAD_BYTES + 1
    assert.deepEqual(await accountDataSize(db.read, entry), { totalBytes: 0, entryBytes: 0 })
    await db.write(async (tx) => {
      await putAccountData(tx, { ...entry, content: { a: 'é' } })
      await putAccountData(tx, { ...entry, roomId: '!room:one.test' as RoomId, content: {} })
      await putAccountData(tx, { ...entry, userId: bob, content: { other: true } })
    })
    assert.deepEqual(await accountDataSize(db.read, entry), {
      totalBytes: 12 + 2 * more,
      entryBytes: 10 + more,
    })
    assert.deepEqual(await accountDataSize(db.read, { ...entry, type: 'b' }), {
      totalBytes: 12 + 2 * more,
      entryBytes: 0,
    })
  })

  test('behaves like a map from (user, room, type) to the last content, in the order of the last writes', async () => {
    const write = fc.record(
      {
        userId: fc.constantFrom(alice, bob),
        roomId: fc.constantFrom('' as const, '!room:one.test' as RoomId),
        type: fc.constantFrom('m.tag', '__proto__', 'constructor', "it's"),
        content: fc.dictionary(fc.constantFrom('a', '__proto__', '\0'), fc.jsonValue()),
      },
      { noNullPrototype: true },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(write, { maxLength: 12 }), async (writes) => {
        const db = await open()
        const model = new Map<string, AccountData>()
        for (const { content, ...name } of writes) {
          const entry = { ...name, content: JSON.parse(JSON.stringify(content)) as JsonObject }
          await db.write((tx) => putAccountData(tx, entry))
          const key = JSON.stringify([entry.userId, entry.roomId, entry.type])
          model.delete(key)
          model.set(key, entry)
        }
        const last = await db.position()
        const isThere = ({ content }: AccountData) => Object.keys(content).length > 0
        for (const user of [alice, bob]) {
          const mine = [...model.values()].filter(({ userId }) => userId === user)
          const stored = await accountDataBetween(db.read, user, 0, last)
          const decoded = stored.map((each) => ({ ...each, content: JSON.parse(each.content.text) as JsonObject }))
          assert.deepEqual(decoded, mine.filter(isThere))
          const later = await accountDataBetween(db.read, user, 1, last)
          assert.equal(later.length >= mine.length - 1, true)
          assert.deepEqual(await accountDataBetween(db.read, user, last, last), [])
        }
        for (const { userId, roomId, type, content } of model.values()) {
          const found = await accountDataOf(db.read, userId, roomId, type)
          assert.deepEqual(found, Object.keys(content).length > 0 ? content : undefined)
        }
        await db.close()
      }),
      { numRuns: 15 },
    )
  })

  test('comes whole and in its order where it has more entries than are read at once', async () => {
    const db = await open()
    const types = Array.from({ length: 1234 }, (_, at) => `t${at}`)
    await db.write(async (tx) => {
      for (const type of types) await putAccountData(tx, { userId: alice, roomId: '', type, content: { a: 1 } })
    })
    const stored = await accountDataBetween(db.read, alice, 0, await db.position())
    assert.deepEqual(
      stored.map(({ type }) => type),
      types,
    )
    await db.close()
  })

  test('wakes only the user', async () => {
    const woken: string[] = []
    const db = await open({ committed: ({ topics }) => void woken.push(...topics) })
    await db.write((tx) => putAccountData(tx, { userId: alice, roomId: '', type: 'm.direct', content: {} }))
    assert.deepEqual(woken, [alice])
    await db.close()
  })
})

onEveryDatabase('filters', (open) => {
  test('are bounded per user: the oldest goes, others stay', async () => {
    const db = await open()
    const ids: number[] = []
    await db.write(async (tx) => {
      for (let count = 0; count <= MAX_FILTERS; count++) ids.push(await putFilter(tx, alice, `{"a":${count}}`))
      await putFilter(tx, bob, '{}')
    })
    const stored = await db.read.selectFrom('filters').select(['user_id', 'filter_id']).execute()
    const mine = stored.filter((row) => row.user_id === alice).map((row) => row.filter_id)
    assert.equal(mine.length, MAX_FILTERS)
    assert.deepEqual([mine.includes(ids[0] ?? -1), mine.includes(ids.at(-1) ?? -1)], [false, true])
    assert.equal(stored.length, MAX_FILTERS + 1)
    await db.close()
  })

  test('behave like a list per user, in which the same definition stands once', async () => {
    const put = fc.record({
      user: fc.constantFrom(alice, bob),
      definition: fc.constantFrom('{}', '{"a":1}', '{"b":2}'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(put, { maxLength: 10 }), async (puts) => {
        const db = await open()
        const model = new Map<UserId, string[]>([
          [alice, []],
          [bob, []],
        ])
        for (const { user, definition } of puts) {
          const mine = model.get(user) ?? []
          if (!mine.includes(definition)) mine.push(definition)
          assert.equal(await db.write((tx) => putFilter(tx, user, definition)), mine.indexOf(definition))
        }
        for (const [user, mine] of model) {
          for (const [id, definition] of mine.entries())
            assert.equal(await filterDefinition(db.read, user, id), definition)
          assert.equal(await filterDefinition(db.read, user, mine.length), undefined)
        }
        await db.close()
      }),
      { numRuns: 10 },
    )
  })
})
