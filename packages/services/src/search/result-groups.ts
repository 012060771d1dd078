// SPDX-License-Identifier: Apache-2.0
import type { HitPage } from './find-page.ts'
import type { Hit } from './hits.ts'
import type { GroupKey } from './search-request.ts'
import type { SearchGroup } from './search-token.ts'

/** The results of a page by group, in the wire format: by key and value. */
export type ResultGroups = Readonly<Record<string, Readonly<Record<string, ResultGroup>>>>

/** A group of results, in the wire format. `order` counts from 1, the group of the first result. */
interface ResultGroup {
  readonly results: readonly string[]
  readonly order: number
  readonly next_batch?: string
}

/** Returns the results of a page in the groups of each key, with tokens for those that may have more results. */
export function groupsOf(
  page: HitPage,
  keys: readonly GroupKey[],
  tokenFor: (group: SearchGroup) => string | undefined,
): ResultGroups {
  return Object.fromEntries(keys.map((key) => [key, groupsBy(page, key, tokenFor)]))
}

function groupsBy(
  page: HitPage,
  key: GroupKey,
  tokenFor: (group: SearchGroup) => string | undefined,
): Readonly<Record<string, ResultGroup>> {
  const groups = Map.groupBy(page.hits, ({ event }) => (key === 'sender' ? event.pdu.sender : event.pdu.roomId))
  const shown = [...groups].map(([value, hits], index) => {
    const token = hasMore(page, key, hits) ? tokenFor({ key, value }) : undefined
    const results = hits.map(({ event }) => event.pdu.id)
    return [value, { results, order: index + 1, ...(token === undefined ? {} : { next_batch: token }) }] as const
  })
  return Object.fromEntries(shown)
}

function hasMore(page: HitPage, key: GroupKey, hits: readonly Hit[]): boolean {
  const own = hits[0]?.entry
  return page.hasMore((entry) =>
    key === 'sender' ? entry.senderNid === own?.senderNid : entry.roomNid === own?.roomNid,
  )
}
