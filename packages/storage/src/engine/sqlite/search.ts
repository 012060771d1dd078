// SPDX-License-Identifier: Apache-2.0
import { pause, spend, step } from '@myelin/kit/turn'
import { requiredLists, roomToken, senderToken } from '../search-index.ts'
import type {
  EntrySearch,
  FoundEntries,
  NewSearchEntry,
  QueryRunner,
  SearchEntry,
  SearchIndex,
  StatementSender,
} from '../search-index.ts'

/** The number of entries in one statement: its time is about a millisecond. */
const ROWS = 32
/** The sizes of the windows, in entries, that one statement searches. */
const FIRST_WINDOW = 4_096
const MAX_WINDOW = 32_768
/** The most entries whose tokens are looked at in one search, and the most that are read and left out. */
const MAX_LOOKED_AT = 2_000_000
const MAX_READ = 50_000
/** A token of at most so many entries is rare; so many tokens of a search are counted. */
const RARE = 2_000
const MAX_PROBES = 8
/** The number of entries that one statement returns at most. */
const PAGE = 512
/** The estimated cost of an entry in a window, and of one that is returned. */
const LOOKED_AT_COST_US = 0.05
const READ_COST_US = 3

interface EntryRow {
  readonly entry_id: number
  readonly event_nid: number
  readonly room_nid: number
  readonly sender_nid: number
}

/**
 * The index in a full-text table that keeps neither texts nor positions. Row ids are entry ids: in ascending order they are cheap
 * to skip.
 */
export const sqliteSearch: SearchIndex = { put, find }

async function put(tx: StatementSender, entries: readonly NewSearchEntry[]): Promise<void> {
  for (let start = 0; start < entries.length; start += ROWS) {
    const chunk = entries.slice(start, start + ROWS)
    const tokens = chunk.flatMap((entry) => [
      entry.entryId,
      [...entry.tokens, roomToken(entry.roomNid), senderToken(entry.senderNid)].join(' '),
    ])
    const rows = chunk.flatMap(({ entryId, eventNid, roomNid, senderNid }) => [entryId, eventNid, roomNid, senderNid])
    const table = 'search_entries'
    const [pairs, fours] = [listOf('(?, ?)', chunk.length), listOf('(?, ?, ?, ?)', chunk.length)]
    await tx.send({
      sql: `insert into search_index (rowid, tokens) values ${pairs}`,
      parameters: tokens,
      target: { table, columns: chunk.flatMap(() => ['entry_id', undefined]) },
    })
    await tx.send({
      sql: `insert into search_entries (entry_id, event_nid, room_nid, sender_nid) values ${fours}`,
      parameters: rows,
      target: { table, columns: chunk.flatMap(() => ['entry_id', 'event_nid', 'room_nid', 'sender_nid']) },
    })
  }
}

const listOf = (row: string, count: number) => Array<string>(count).fill(row).join(', ')

async function find(db: QueryRunner, search: EntrySearch): Promise<FoundEntries> {
  const match = matchOf(search)
  const isRare = await hasRareToken(db, search)
  const entries: SearchEntry[] = []
  let [after, lookedAt, read] = [search.after, 0, 0]
  for (let size = FIRST_WINDOW; lookedAt < MAX_LOOKED_AT; size = Math.min(2 * size, MAX_WINDOW)) {
    const end = isRare ? undefined : await endOfWindow(db, after, size)
    const upTo = Math.min(end ?? Infinity, search.upTo)
    for (let isWhole = false; !isWhole; ) {
      const rows = await entriesIn(db, match, { after, upTo, size })
      read += rows.length
      for (const row of rows) {
        after = row.entry_id
        if (!isWanted(row, search)) continue
        entries.push(entryOf(row))
        if (entries.length === search.limit) return { entries, searched: after }
      }
      isWhole = rows.length < PAGE
      if (!isWhole && read >= MAX_READ) return { entries, searched: after }
    }
    if (upTo === search.upTo || end === undefined) return { entries, searched: Infinity }
    after = upTo
    lookedAt += size
  }
  return { entries, searched: after }
}

/** Returns the query in the words of the full-text table. Tokens have no quotes in them. */
function matchOf(search: EntrySearch): string {
  const all = search.anyOf.map((tokens) => tokens.map((token) => `"${token}"`).join(' AND '))
  const words = all.length === 1 ? (all[0] ?? '') : `(${all.map((tokens) => `(${tokens})`).join(' OR ')})`
  const lists = requiredLists(search).map((tokens) => `(${tokens.map((token) => `"${token}"`).join(' OR ')})`)
  // Rooms are mostly rarer than words, and the first part leads.
  return [...lists.toReversed(), words].join(' AND ')
}

/** Returns whether all entries that are found have a token that few have: the index then skips to those by itself. */
async function hasRareToken(db: QueryRunner, search: EntrySearch): Promise<boolean> {
  const [tokens = [], ...others] = search.anyOf
  if (others.length > 0) return false
  for (const token of tokens.slice(0, MAX_PROBES)) {
    const [row] = await db.run<{ entries: number }>(
      `select count(*) as entries from (select 1 from search_index where search_index match ? limit ${RARE + 1})`,
      [`"${token}"`],
    )
    spend(RARE * LOOKED_AT_COST_US)
    if (row && row.entries <= RARE) return true
  }
  return false
}

/** Returns the last of so many entries after one; undefined where there are fewer. */
async function endOfWindow(db: QueryRunner, after: number, size: number): Promise<number | undefined> {
  const [row] = await db.run<{ entry_id: number }>(
    `select entry_id from search_entries where entry_id > ? order by entry_id limit 1 offset ${size - 1}`,
    [after],
  )
  spend(size * LOOKED_AT_COST_US)
  return row?.entry_id
}

async function entriesIn(
  db: QueryRunner,
  match: string,
  { after: from, upTo, size }: { readonly after: number; readonly upTo: number; readonly size: number },
): Promise<readonly EntryRow[]> {
  const before = pause()
  if (before) await before
  const rows = await db.run<EntryRow>(
    `select entry.entry_id, entry.event_nid, entry.room_nid, entry.sender_nid
      from search_index cross join search_entries as entry on entry.entry_id = search_index.rowid
      where search_index match ? and search_index.rowid > ? and search_index.rowid <= ?
      order by search_index.rowid limit ${PAGE}`,
    [match, from, Math.min(upTo, Number.MAX_SAFE_INTEGER)],
  )
  // The caller goes on with other work before it pauses.
  const after = step(size * LOOKED_AT_COST_US + rows.length * READ_COST_US)
  if (after) await after
  return rows
}

function isWanted({ room_nid: room, sender_nid: sender }: EntryRow, { rooms, senders }: EntrySearch): boolean {
  return rooms.has(room) && (senders?.has(sender) ?? true)
}

function entryOf(row: EntryRow): SearchEntry {
  return { entryId: row.entry_id, eventNid: row.event_nid, roomNid: row.room_nid, senderNid: row.sender_nid }
}
