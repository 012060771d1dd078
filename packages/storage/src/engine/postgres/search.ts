// SPDX-License-Identifier: Apache-2.0
import { MAX_LISTED, requiredLists, roomToken, senderToken } from '../search-index.ts'
import type {
  EntrySearch,
  FoundEntries,
  NewSearchEntry,
  QueryRunner,
  SearchEntry,
  SearchIndex,
  StatementSender,
} from '../search-index.ts'

/** The number of entries in one statement. */
const ROWS = 256
/** The number of newest entries that are looked at one by one, before the index is asked. */
const FIRST_WINDOW = 4_096
const MAX_WINDOW = 65_536
/** The most entries that are looked at one by one in one search. */
const MAX_LOOKED_AT = 262_144
/** The most entries that are taken from the index, which returns them in no order. */
const MAX_UNORDERED = 20_000
/** From this share of the newest entries on, looking at them one by one costs less than the index. */
const COMMON = 0.03

interface EntryRow {
  readonly entry_id: number
  readonly event_nid: number
  readonly room_nid: number
  readonly sender_nid: number
}

/**
 * The index in an inverted index of numbers. A token is kept as a hash of 32 bits: those who search compare the text of what is
 * found anyway.
 */
export const postgresSearch: SearchIndex = { put, find }

const INSERT = `insert into search_entries (entry_id, event_nid, room_nid, sender_nid, tokens)
  select entry_id, event_nid, room_nid, sender_nid, tokens::integer[]
  from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[])
    as given (entry_id, event_nid, room_nid, sender_nid, tokens)
  on conflict do nothing`

async function put(tx: StatementSender, entries: readonly NewSearchEntry[]): Promise<void> {
  for (let start = 0; start < entries.length; start += ROWS) {
    const chunk = entries.slice(start, start + ROWS)
    const parameters = [
      chunk.map(({ entryId }) => entryId),
      chunk.map(({ eventNid }) => eventNid),
      chunk.map(({ roomNid }) => roomNid),
      chunk.map(({ senderNid }) => senderNid),
      chunk.map((entry) => hashes([...entry.tokens, roomToken(entry.roomNid), senderToken(entry.senderNid)])),
    ]
    await tx.send({
      sql: INSERT,
      parameters,
      target: { table: 'search_entries', columns: parameters.map(() => undefined) },
    })
  }
}

/** Returns the text of an array of the hashes of tokens. */
function hashes(tokens: readonly string[]): string {
  return `{${tokens.map(hashOf).join(',')}}`
}

/** Returns a hash of 32 bits with a sign: FNV-1a over UTF-16, with its bits mixed once more. */
function hashOf(token: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < token.length; at++) hash = Math.imul(hash ^ token.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 12)) | 0
}

async function find(db: QueryRunner, search: EntrySearch): Promise<FoundEntries> {
  const query = conditionsOf(search)
  const first = await inWindow(db, query, search, { after: search.after, size: FIRST_WINDOW })
  if (first.searched === Infinity || first.entries.length === search.limit) return first
  if (first.entries.length < COMMON * FIRST_WINDOW) {
    const rest = await throughIndex(db, query, { ...search, after: first.searched })
    if (rest) return joined(first, rest, search)
  }
  let found = first
  for (let size = 4 * FIRST_WINDOW, lookedAt = 0; lookedAt < MAX_LOOKED_AT; lookedAt += size) {
    const next = await inWindow(db, query, search, { after: found.searched, size })
    found = joined(found, next, search)
    if (found.searched === Infinity || found.entries.length === search.limit) return found
    size = Math.min(2 * size, MAX_WINDOW)
  }
  return found
}

/** The conditions of a search in SQL, with their values; the first three values are left to the caller. */
interface Conditions {
  readonly sql: string
  readonly values: readonly unknown[]
}

function conditionsOf(search: EntrySearch): Conditions {
  const values: unknown[] = []
  const slot = (value: unknown) => `$${values.push(value) + BOUNDS}`
  const words = search.anyOf.map((tokens) => `tokens @> ${slot(hashes(tokens))}::integer[]`)
  const parts = [`(${words.join(' or ')})`]
  for (const tokens of requiredLists(search)) parts.push(`tokens && ${slot(hashes(tokens))}::integer[]`)
  // Also where the index is asked for them: two tokens may have one hash.
  parts.push(`room_nid = any(${slot([...search.rooms])}::bigint[])`)
  if (search.senders && search.senders.size > MAX_LISTED)
    parts.push(`sender_nid = any(${slot([...search.senders])}::bigint[])`)
  return { sql: parts.join(' and '), values }
}

const BOUNDS = 2
const COLUMNS = 'entry_id, event_nid, room_nid, sender_nid'

/** Looks at the next entries one by one. */
async function inWindow(
  db: QueryRunner,
  { sql, values }: Conditions,
  { upTo, limit }: EntrySearch,
  { after, size }: { readonly after: number; readonly size: number },
): Promise<FoundEntries> {
  const rows = await db.run<EntryRow & { readonly last: number | null; readonly looked_at: number }>(
    `with looked_at as materialized (
        select ${COLUMNS}, tokens from search_entries where entry_id > $1 and entry_id <= $2 order by entry_id limit ${size}
      ), bounds as (select max(entry_id) as last, count(*)::integer as looked_at from looked_at)
      select ${COLUMNS}, last, looked_at from bounds left join
        (select ${COLUMNS} from looked_at where ${sql} order by entry_id limit ${limit}) as found on true
      order by entry_id`,
    [after, bounded(upTo), ...values],
  )
  const [bounds] = rows
  const entries = rows.flatMap((row) => ((row.entry_id as number | null) === null ? [] : [entryOf(row)]))
  const last = entries.at(-1)
  if (last && entries.length === limit) return { entries, searched: last.entryId }
  const isEnd = (bounds?.looked_at ?? 0) < size
  return { entries, searched: isEnd ? Infinity : (bounds?.last ?? Infinity) }
}

/** Asks the index for all entries at once; undefined where they are too many. */
async function throughIndex(
  db: QueryRunner,
  { sql, values }: Conditions,
  { after, upTo, limit }: EntrySearch,
): Promise<FoundEntries | undefined> {
  const rows = await db.run<EntryRow & { readonly total: number }>(
    `with found as materialized (
        select ${COLUMNS} from search_entries where ${sql} and entry_id > $1 and entry_id <= $2 limit ${MAX_UNORDERED + 1}
      )
      select ${COLUMNS}, (select count(*)::integer from found) as total from found order by entry_id limit ${limit}`,
    [after, bounded(upTo), ...values],
  )
  const total = rows[0]?.total ?? 0
  if (total > MAX_UNORDERED) return undefined
  const last = rows.at(-1)
  return { entries: rows.map(entryOf), searched: last && total > rows.length ? last.entry_id : Infinity }
}

function joined(first: FoundEntries, next: FoundEntries, { limit }: EntrySearch): FoundEntries {
  const entries = [...first.entries, ...next.entries]
  const last = entries[limit - 1]
  if (entries.length <= limit || !last) return { entries, searched: next.searched }
  return { entries: entries.slice(0, limit), searched: last.entryId }
}

const bounded = (id: number) => Math.min(id, Number.MAX_SAFE_INTEGER)

function entryOf(row: EntryRow): SearchEntry {
  return { entryId: row.entry_id, eventNid: row.event_nid, roomNid: row.room_nid, senderNid: row.sender_nid }
}
