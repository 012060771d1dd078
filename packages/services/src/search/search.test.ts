// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import type { OpenDatabase } from '@myelin/testing/databases'
import { authorRoom } from '@myelin/testing/room-author'
import { testRuntime } from '@myelin/testing/runtime'
import type { TestRuntime } from '@myelin/testing/runtime'
import fc from 'fast-check'
import { SearchIndexer } from '../delivery/search-indexer.ts'
import { eventFilterOf } from '../room-state/event-filter.ts'
import type { Requester } from '../runtime/runtime.ts'
import { searchEvents } from './search.ts'
import type { SearchOrder, SearchRequest } from './search-request.ts'

const ALICE = '@alice:one.test' as UserId
const BOB = '@bob:one.test' as UserId
const requester: Requester = { userId: ALICE, deviceId: 'DEVICE', isAdmin: false, isGuest: false }

/** Words of scripts with spaces, by the form without case and accents; they are found by their beginnings. */
const WORDS: Readonly<Record<string, string>> = {
  Hello: 'hello',
  help: 'help',
  HELLÉNIQUE: 'hellenique',
  Straße: 'strasse',
  привет: 'привет',
  приветствие: 'приветствие',
  Ёлка: 'елка',
  שלום: 'שלום',
  سلام: 'سلام',
  Γειά: 'γεια',
  नमस्ते: 'नमस्ते',
  it: 'it',
  2026: '2026',
}
/** Texts without spaces, which are found by each part of two characters. */
const RUNS = [
  '日本語を勉強する',
  '東京都に行く',
  '日本の猫',
  '机器学习很有趣',
  '中国語と日本語',
  'สวัสดีครับ',
  '한국어를배워요',
  'ねこ',
]

type Word = { readonly written: string; readonly folded: string; readonly isRun: boolean }
const vocabulary: readonly Word[] = [
  ...Object.entries(WORDS).map(([written, folded]) => ({ written, folded, isRun: false })),
  ...RUNS.map((run) => ({ written: run, folded: run, isRun: true })),
]
const text = fc.array(fc.constantFrom(...vocabulary), { minLength: 1, maxLength: 6 })

/** A part of a search term: its text, and whether it finds a word. */
interface Part {
  readonly term: string
  readonly finds: (word: Word) => boolean
}

const part: fc.Arbitrary<Part> = fc
  .tuple(fc.constantFrom(...vocabulary), fc.nat({ max: 8 }), fc.nat({ max: 8 }), fc.boolean())
  .map(([{ folded, isRun }, start, length, isUpper]) => {
    if (isRun) {
      const own = folded.slice(Math.min(start, folded.length - 2)).slice(0, 2 + length)
      return { term: own, finds: (word) => word.isRun && word.folded.includes(own) }
    }
    const own = folded.length < 3 ? folded : folded.slice(0, 3 + length)
    const term = isUpper ? own.toUpperCase() : own
    return {
      term,
      finds: (word) => !word.isRun && (own.length < 3 ? word.folded === own : word.folded.startsWith(own)),
    }
  })

const wish = fc.record({
  parts: fc.array(part, { minLength: 1, maxLength: 3 }),
  without: fc.option(part, { nil: undefined }),
  room: fc.option(fc.nat({ max: 1 }), { nil: undefined }),
  sender: fc.option(fc.constantFrom(ALICE, BOB), { nil: undefined }),
  limit: fc.constantFrom(1, 3, 100),
  order: fc.constantFrom<SearchOrder>('rank', 'recent'),
})

interface Said {
  readonly id: string
  readonly words: readonly Word[]
  readonly sender: UserId
  readonly room: number
}

async function stage(open: OpenDatabase) {
  const rt = await testRuntime(open)
  const rooms = [
    await authorRoom(rt, ALICE, { preset: 'public_chat' }),
    await authorRoom(rt, ALICE, { preset: 'public_chat' }),
  ]
  for (const room of rooms) await room.member(BOB, BOB, 'join')
  const indexer = new SearchIndexer(rt)
  const said: Said[] = []
  for (const [index, words] of fc.sample(text, { numRuns: 120, seed: 7 }).entries()) {
    const [sender, room] = [index % 3 === 0 ? BOB : ALICE, index % 2]
    const id = (await rooms[room]?.say(sender, words.map(({ written }) => written).join(' '))) ?? ''
    said.push({ id, words, sender, room })
  }
  await indexer.settled()
  const close = async () => {
    await indexer.close()
    await rt.close()
  }
  return { rt, rooms, said, close }
}

async function everyPage(rt: TestRuntime, request: Omit<SearchRequest, 'nextBatch'>) {
  const pages: { readonly ids: readonly string[]; readonly ranks: readonly number[]; readonly count: number }[] = []
  for (let nextBatch: string | undefined, isEnd = false; !isEnd; isEnd = nextBatch === undefined) {
    const found = await searchEvents(rt, requester, { ...request, nextBatch })
    const events = found.results.map(({ result }) => JSON.parse(result.text) as { event_id: string })
    pages.push({
      ids: events.map((event) => event.event_id),
      ranks: found.results.map(({ rank }) => rank),
      count: found.count,
    })
    nextBatch = found.next_batch
  }
  return pages
}

onEveryDatabase('a search for events', (open) => {
  test('finds what reading all of them finds, in every script and order, page by page', async () => {
    const { rt, rooms, said, close } = await stage(open)
    const finds = (parts: readonly Part[], { words }: Said) =>
      parts.every((own) => words.some((word) => own.finds(word)))
    let found = 0
    await fc.assert(
      fc.asyncProperty(wish, async ({ parts, without, room, sender, limit, order }) => {
        const filter = {
          limit,
          ...(room === undefined ? {} : { rooms: [rooms[room]?.roomId ?? ''] }),
          ...(sender === undefined ? {} : { senders: [sender] }),
        }
        const wanted = said.filter(
          (each) =>
            finds(parts, each) &&
            !(without && finds([without], each)) &&
            (room === undefined || each.room === room) &&
            (sender === undefined || each.sender === sender),
        )
        const pages = await everyPage(rt, {
          term: [...parts.map(({ term }) => term), ...(without ? [`-${without.term}`] : [])].join(' '),
          keys: ['content.body'],
          filter: eventFilterOf(filter),
          order,
          context: undefined,
          includesState: false,
          groupBy: [],
        })
        const ids = pages.flatMap((page) => page.ids)
        const newestFirst = wanted.map(({ id }) => id).toReversed()
        assert.deepEqual(
          order === 'recent' ? ids : ids.toSorted(),
          order === 'recent' ? newestFirst : newestFirst.toSorted(),
        )
        assert.ok(pages.every((page) => page.ids.length <= limit && page.count >= wanted.length))
        const ranks = order === 'rank' ? pages.flatMap((page) => page.ranks) : []
        assert.deepEqual(
          ranks,
          ranks.toSorted((a, b) => b - a),
        )
        found += ids.length
      }),
      { numRuns: 150 },
    )
    await close()
    assert.ok(found > 100, 'most searches must find something')
  })
})
