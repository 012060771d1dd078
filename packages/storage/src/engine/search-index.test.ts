// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import type { OpenDatabase } from '@myelin/testing/databases'
import fc from 'fast-check'
import type { Database } from './database.ts'
import { roomToken } from './search-index.ts'
import type { EntrySearch, NewSearchEntry } from './search-index.ts'

/** More than one window of either engine. */
const ENTRIES = 9_000
const ROOMS = 80
const WORDS = ['the', 'of', 'and', '·x', '日本', '本', 'naïve', 'rare', 'ᚠ']

/** Word number n is in every entry whose number is a multiple of its step; some are in old entries only. */
const STEPS = [1, 2, 3, 7, 50, 400, 4_000, 8_999, 3_001]

function entry(number: number): NewSearchEntry {
  const tokens = WORDS.filter((_, index) => number % (STEPS[index] ?? 1) === 0)
  const isNewHalf = number < ENTRIES / 2
  return {
    entryId: number * 3,
    eventNid: number + 1,
    roomNid: 1 + (number % ROOMS),
    senderNid: 1 + (number % 5),
    tokens: isNewHalf ? [...tokens, 'new'] : [...tokens, 'old'],
  }
}

const all = Array.from({ length: ENTRIES }, (_, number) => entry(number + 1))

async function filled(open: OpenDatabase): Promise<Database> {
  const db = await open()
  for (let start = 0; start < all.length; start += 1_000)
    await db.write((tx) => tx.search.put(tx, all.slice(start, start + 1_000)))
  return db
}

function isFound({ anyOf, oneOfEach, rooms, senders }: EntrySearch, { tokens, roomNid, senderNid }: NewSearchEntry) {
  return (
    anyOf.some((list) => list.every((token) => tokens.includes(token))) &&
    oneOfEach.every((list) => list.some((token) => tokens.includes(token))) &&
    rooms.has(roomNid) &&
    (senders?.has(senderNid) ?? true)
  )
}

/** All that a search finds, page by page. */
async function pages(db: Database, search: EntrySearch): Promise<number[]> {
  const ids: number[] = []
  for (let { after } = search; after !== Infinity; ) {
    const { entries, searched } = await db.read.search.find(db.read, { ...search, after })
    assert.ok(entries.length <= search.limit)
    assert.ok(searched > after)
    ids.push(...entries.map(({ entryId }) => entryId))
    after = searched
  }
  return ids
}

const word = fc.constantFrom(...WORDS, 'new', 'old', 'never')
const search: fc.Arbitrary<EntrySearch> = fc.record({
  anyOf: fc.array(fc.array(word, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
  oneOfEach: fc.array(fc.array(word, { minLength: 1, maxLength: 3 }), { maxLength: 1 }),
  rooms: fc
    .oneof(
      fc.constant(Array.from({ length: ROOMS }, (_, index) => index + 1)),
      fc.array(fc.integer({ min: 1, max: ROOMS }), { minLength: 1, maxLength: 5 }),
    )
    .map((rooms) => new Set(rooms)),
  senders: fc.option(fc.constantFrom(new Set([1]), new Set([2, 3, 999])), { nil: undefined }),
  after: fc.integer({ min: 0, max: ENTRIES * 3 }),
  upTo: fc.constantFrom(Infinity, ENTRIES, 3 * ENTRIES),
  limit: fc.constantFrom(1, 10, 500, 5_000),
})

onEveryDatabase('the search index', (open) => {
  test('finds what a list of the entries has, in order and page by page', async () => {
    const db = await filled(open)
    await fc.assert(
      fc.asyncProperty(search, async (wish) => {
        const { after, upTo } = wish
        const wanted = all.filter((each) => each.entryId > after && each.entryId <= upTo && isFound(wish, each))
        const many = wanted.length / wish.limit > 50 ? { ...wish, limit: 500 } : wish
        assert.deepEqual(
          await pages(db, many),
          wanted.map(({ entryId }) => entryId),
        )
      }),
      { numRuns: 60 },
    )
    await db.close()
  })

  test('does not find an entry that was dropped', async () => {
    const db = await filled(open)
    const wish: EntrySearch = {
      anyOf: [['rare']],
      oneOfEach: [],
      rooms: new Set(all.map(({ roomNid }) => roomNid)),
      senders: undefined,
      after: 0,
      upTo: Infinity,
      limit: 10,
    }
    const before = await pages(db, wish)
    await db.write(async (tx) => {
      await tx
        .deleteFrom('search_entries')
        .where('event_nid', '=', 8_999 + 0)
        .execute()
      await tx.deleteFrom('search_entries').where('event_nid', '=', 9_000).execute()
    })
    const after = await pages(db, wish)
    // A number is free for another event then.
    const again = entry(8_999)
    await db.write((tx) => tx.search.put(tx, [{ ...again, tokens: ['other'] }]))
    const [rare, other] = [await pages(db, wish), await pages(db, { ...wish, anyOf: [['other']] })]
    await db.close()
    assert.deepEqual(before, [8_999 * 3])
    assert.deepEqual([after, rare, other], [[], [], [again.entryId]])
  })

  test('keeps words apart from the tokens of rooms', async () => {
    const db = await open()
    const [first] = all as [NewSearchEntry]
    await db.write((tx) => tx.search.put(tx, [{ ...first, roomNid: 7, tokens: ['r7'] }]))
    const wish = { oneOfEach: [], rooms: new Set([7]), senders: undefined, after: 0, upTo: Infinity, limit: 10 }
    const [word, other] = [await pages(db, { ...wish, anyOf: [['r7']] }), await pages(db, { ...wish, anyOf: [['r8']] })]
    await db.close()
    assert.equal(roomToken(7), '·r7')
    assert.deepEqual([word, other], [[first.entryId], []])
  })
})
