// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import { Semaphore, TooManyWaiting } from '@myelin/kit/semaphore'
import { MatrixError } from '@myelin/matrix/errors'
import type { Read } from '@myelin/storage/engine/database'
import { roomNid, userNids } from '@myelin/storage/engine/names'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { ignoredUsers } from '../standing/ignored-users.ts'
import { bestHits, newestHits } from './find-page.ts'
import type { EntryWish, HitPage } from './find-page.ts'
import type { HitSearch } from './hits.ts'
import { groupsOf } from './result-groups.ts'
import type { ResultGroups } from './result-groups.ts'
import { renderHits, statesOf } from './render-results.ts'
import type { RenderedHit } from './render-results.ts'
import type { SearchRequest } from './search-request.ts'
import { parseSearchTerm, tokensNeededFor } from './search-term.ts'
import { parsePlace, printPlace } from './search-token.ts'
import type { SearchGroup, SearchPlace } from './search-token.ts'
import { SearchedRooms } from './searched-rooms.ts'
import { keyToken, SEARCH_KEYS } from './tokens.ts'

type Needs = Pick<Runtime, 'db' | 'clock' | 'limits' | 'config'>

/** The results of a search, in the wire format. */
export interface SearchResults {
  readonly count: number
  readonly highlights: readonly string[]
  readonly results: readonly RenderedHit[]
  readonly state?: Readonly<Record<string, readonly RawJson[]>>
  readonly groups?: ResultGroups
  readonly next_batch?: string
}

/** The number of results where the filter has no limit, and the most. */
const DEFAULT_LIMIT = 10
const MAX_LIMIT = 100
/** The most events around results, of one result and in a whole answer. */
const MAX_CONTEXT = 100
const MAX_CONTEXT_IN_ALL = 1_000
/** When to try again where too many searches of a user wait. */
const RETRY_AFTER_MS = 1_000
/** The most words to highlight. */
const MAX_HIGHLIGHTS = 100

/** Searches run a few at a time; those of one user wait for each other. */
const searches = new Semaphore(4, { maxWaitingPerKey: 8 })

/**
 * Returns a page of events whose text matches a search term, in the rooms that the requester is or was in, as far as they may see
 * them. Encrypted rooms are not searched.
 *
 * @throws MatrixError `M_UNKNOWN` with status 400 where search is disabled; `M_LIMIT_EXCEEDED`; `M_INVALID_PARAM` for a token of
 * another search, and for a term with too many words
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3search
 */
export async function searchEvents(rt: Needs, requester: Requester, request: SearchRequest): Promise<SearchResults> {
  if (!rt.config.search.isEnabled)
    throw new MatrixError('M_UNKNOWN', 'Search is disabled on this homeserver', { status: 400 })
  rt.limits.take('search', requester.userId)
  try {
    return await searches.run(() => search(rt, requester, request), { key: requester.userId })
  } catch (cause) {
    if (!(cause instanceof TooManyWaiting)) throw cause
    throw new MatrixError('M_LIMIT_EXCEEDED', 'too many searches at once', {
      cause,
      extra: { retry_after_ms: RETRY_AFTER_MS },
    })
  }
}

async function search(rt: Needs, requester: Requester, request: SearchRequest): Promise<SearchResults> {
  const db = rt.db.read
  const place = request.nextBatch === undefined ? undefined : parsePlace(request.nextBatch, request.order)
  const rooms = await SearchedRooms.of(db, requester.userId)
  const alternatives = parseSearchTerm(request.term)
  const hitSearch: HitSearch = {
    db,
    user: requester.userId,
    ignored: await ignoredUsers(db, requester.userId),
    rooms,
    alternatives,
    keys: request.keys,
    filter: request.filter,
  }
  const wish = await wishOf(hitSearch, place?.group)
  const page = wish && (await pageOf(hitSearch, wish, { request, place, limit: limitOf(request) }))
  if (!page) return { count: 0, highlights: [], results: [] }
  const group = place?.group
  const count = place?.count ?? page.count
  const tokenFor = (of: SearchGroup | undefined) => page.next && printPlace({ ...page.next, count, group: of })
  const nextBatch = tokenFor(group)
  const results = await renderHits(rt, requester, { hits: page.hits, rooms, context: contextWish(request) })
  return {
    count,
    highlights: [...new Set(page.hits.flatMap(({ words }) => words))].slice(0, MAX_HIGHLIGHTS),
    results,
    ...(request.includesState
      ? { state: await statesOf(rt, requester, { hits: page.hits, rooms, filter: request.filter }) }
      : {}),
    ...(request.groupBy.length > 0 ? { groups: groupsOf(page, request.groupBy, tokenFor) } : {}),
    ...(nextBatch === undefined ? {} : { next_batch: nextBatch }),
  }
}

async function pageOf(
  hitSearch: HitSearch,
  wish: EntryWish,
  { request, place, limit }: { request: SearchRequest; place: SearchPlace | undefined; limit: number },
): Promise<HitPage> {
  const page = await (request.order === 'rank' ? bestHits : newestHits)(hitSearch, wish, { place, limit })
  // A page of none leads nowhere.
  return limit === 0 ? { ...page, next: undefined } : page
}

/** Returns what the index is asked for; undefined where nothing can be found. */
async function wishOf(
  { db, rooms, alternatives, keys, filter }: HitSearch,
  group: SearchGroup | undefined,
): Promise<EntryWish | undefined> {
  const numbers = await rooms.numbers(filter)
  const senders = filter.senders && (await numbersOf(db, filter.senders as readonly UserId[]))
  const wish: EntryWish = {
    anyOf: alternatives.map(tokensNeededFor),
    oneOfEach: keys.length < SEARCH_KEYS.length ? [keys.map(keyToken)] : [],
    rooms: group?.key === 'room_id' ? only(numbers, await roomNid(db, group.value as RoomId)) : numbers,
    senders: group?.key === 'sender' ? await senderOf(db, group.value as UserId, senders) : senders,
  }
  const isEmpty = alternatives.length === 0 || keys.length === 0 || wish.rooms.size === 0 || wish.senders?.size === 0
  return isEmpty ? undefined : wish
}

function only(numbers: ReadonlySet<number>, number: number | undefined): ReadonlySet<number> {
  return new Set(number !== undefined && numbers.has(number) ? [number] : [])
}

async function numbersOf(db: Read, users: readonly UserId[]): Promise<ReadonlySet<number>> {
  return new Set((await userNids(db, users)).values())
}

async function senderOf(
  db: Read,
  user: UserId,
  senders: ReadonlySet<number> | undefined,
): Promise<ReadonlySet<number>> {
  const own = await numbersOf(db, [user])
  return senders ? own.intersection(senders) : own
}

function contextWish({ context }: SearchRequest): SearchRequest['context'] {
  return (
    context && {
      ...context,
      before: Math.min(context.before, MAX_CONTEXT),
      after: Math.min(context.after, MAX_CONTEXT),
    }
  )
}

/** Returns the number of results on a page: fewer where each has many events around it. */
function limitOf(request: SearchRequest): number {
  const limit = Math.min(request.filter.limit ?? DEFAULT_LIMIT, MAX_LIMIT)
  const context = contextWish(request)
  if (!context) return limit
  return Math.min(limit, Math.floor(MAX_CONTEXT_IN_ALL / (1 + context.before + context.after)))
}
