// SPDX-License-Identifier: Apache-2.0
import type { EntrySearch, FoundEntries, SearchEntry } from '@myelin/storage/engine/search-index'
import { matching, visibleHits } from './hits.ts'
import type { Hit, HitSearch } from './hits.ts'
import type { SearchPlace } from './search-token.ts'

/** A page of results. */
export interface HitPage {
  readonly hits: readonly Hit[]
  /** An estimate of the number of results; exact where all of them were looked at. */
  readonly count: number
  /** The place of the next page, without its group; undefined where there is none. */
  readonly next: Omit<SearchPlace, 'group' | 'count'> | undefined
  /** Returns whether entries that are left are of a group, as far as is known. */
  readonly hasMore: (isOfGroup: (entry: SearchEntry) => boolean) => boolean
}

/** The tokens and rooms of a search. */
export type EntryWish = Omit<EntrySearch, 'after' | 'upTo' | 'limit'>

/** The most entries of the index that are looked at together; in `rank` order these are ranked. */
const MAX_ENTRIES = 500
/** How often further entries are looked at for one page. */
const MAX_ROUNDS = 3
/** The number of hits of which it is checked at a time whether the user may see them. */
const CHECKED_AT_ONCE = 16

const START: Omit<SearchPlace, 'order' | 'group'> = { after: 0, upTo: Infinity, last: undefined, count: 0 }

/** Returns the next results, newest first. */
export async function newestHits(
  search: HitSearch,
  wish: EntryWish,
  { place, limit }: { readonly place: SearchPlace | undefined; readonly limit: number },
): Promise<HitPage> {
  const hits: Hit[] = []
  let { after } = place ?? START
  let count = 0
  for (let round = 1; ; round++) {
    const found = await search.db.search.find(search.db, { ...wish, after, upTo: Infinity, limit: MAX_ENTRIES })
    count += found.entries.length
    for (let start = 0; start < found.entries.length; start += CHECKED_AT_ONCE) {
      const chunk = found.entries.slice(start, start + CHECKED_AT_ONCE)
      const seen = await visibleHits(search, await matching(search, chunk))
      count -= chunk.length - seen.length
      hits.push(...seen)
      // One more tells whether there is a next page.
      if (hits.length > limit) return newestPage({ hits, limit, found, count })
    }
    if (found.searched === Infinity) return { hits, count, next: undefined, hasMore: () => false }
    after = found.searched
    if (round === MAX_ROUNDS) {
      const next = { order: 'recent', after, upTo: Infinity, last: undefined } as const
      return { hits, count, next, hasMore: () => true }
    }
  }
}

function newestPage(parts: {
  readonly hits: readonly Hit[]
  readonly limit: number
  readonly found: FoundEntries
  readonly count: number
}): HitPage {
  const { limit, found, count } = parts
  const hits = parts.hits.slice(0, limit)
  // Nothing fits on a page of none.
  const after = hits.at(-1)?.entry.entryId ?? 0
  const left = found.entries.filter(({ entryId }) => entryId > after)
  const hasMore: HitPage['hasMore'] = (isOfGroup) => found.searched !== Infinity || left.some(isOfGroup)
  return { hits, count, next: { order: 'recent', after, upTo: Infinity, last: undefined }, hasMore }
}

/**
 * Returns the next results, the best first. The newest {@link MAX_ENTRIES} entries are ranked together; once all of them were
 * returned, the next ones are.
 */
export async function bestHits(
  search: HitSearch,
  wish: EntryWish,
  { place, limit }: { readonly place: SearchPlace | undefined; readonly limit: number },
): Promise<HitPage> {
  const hits: Hit[] = []
  let { after, upTo, last } = place ?? START
  let count = 0
  for (let round = 1; ; round++) {
    const found = await search.db.search.find(search.db, { ...wish, after, upTo, limit: MAX_ENTRIES })
    const ranked = (await matching(search, found.entries)).toSorted(byRank)
    count += ranked.length
    const window = windowOf(found, { after, upTo })
    const open = last === undefined ? ranked : ranked.filter((hit) => isBehind(hit, last))
    for (let start = 0; start < open.length; start += CHECKED_AT_ONCE) {
      const chunk = open.slice(start, start + CHECKED_AT_ONCE)
      const seen = await visibleHits(search, chunk)
      count -= chunk.length - seen.length
      hits.push(...seen)
      if (hits.length > limit) return bestPage({ hits, limit, open, window, count })
    }
    if (window.upTo === Infinity) return { hits, count, next: undefined, hasMore: () => false }
    ;({ upTo: after } = window)
    upTo = Infinity
    last = undefined
    if (round === MAX_ROUNDS) return { hits, count, next: { order: 'rank', after, upTo, last }, hasMore: () => true }
  }
}

/** Entries that are ranked together. */
interface Window {
  readonly after: number
  readonly upTo: number
}

/** Returns the bounds of the entries that were found: events that are indexed later are not ranked among them. */
function windowOf({ entries, searched }: FoundEntries, { after, upTo }: Window): Window {
  const [newest] = entries
  return { after: newest ? newest.entryId - 1 : after, upTo: searched === Infinity ? upTo : searched }
}

function bestPage(parts: {
  readonly hits: readonly Hit[]
  readonly limit: number
  readonly open: readonly Hit[]
  readonly window: Window
  readonly count: number
}): HitPage {
  const { limit, open, window, count } = parts
  const hits = parts.hits.slice(0, limit)
  const end = hits.at(-1)
  // The last one may be of an earlier window, of which nothing is left.
  const isOfWindow = end !== undefined && end.entry.entryId > window.after && end.entry.entryId <= window.upTo
  const last = isOfWindow ? { rank: end.rank, entryId: end.entry.entryId } : undefined
  const left = last === undefined ? open : open.filter((hit) => isBehind(hit, last))
  const hasMore: HitPage['hasMore'] = (isOfGroup) =>
    window.upTo !== Infinity || left.some(({ entry }) => isOfGroup(entry))
  return { hits, count, next: { order: 'rank', ...window, last }, hasMore }
}

const byRank = (a: Hit, b: Hit) => b.rank - a.rank || a.entry.entryId - b.entry.entryId

function isBehind(
  { rank, entry }: Hit,
  last: { readonly rank: number; readonly entryId: number } | undefined,
): boolean {
  if (!last || rank === last.rank) return entry.entryId > (last?.entryId ?? 0)
  return rank < last.rank
}
