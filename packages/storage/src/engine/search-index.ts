// SPDX-License-Identifier: Apache-2.0
import type { Statement } from './statement.ts'
import type { Nid } from '../schema/schema.ts'

/** An event that can be found, without its tokens. Entries of newer events have lower ids. */
export interface SearchEntry {
  readonly entryId: number
  readonly eventNid: Nid
  readonly roomNid: Nid
  readonly senderNid: Nid
}

/** An entry with the tokens of its text. */
export interface NewSearchEntry extends SearchEntry {
  readonly tokens: readonly string[]
}

/** A search for entries, newest first. */
export interface EntrySearch {
  /** The tokens that an entry must have: all of at least one list. No list is empty. */
  readonly anyOf: readonly (readonly string[])[]
  /** The entry has at least one token of each of these lists. */
  readonly oneOfEach: readonly (readonly string[])[]
  /** The numbers of the rooms and senders; undefined for all senders. */
  readonly rooms: ReadonlySet<Nid>
  readonly senders: ReadonlySet<Nid> | undefined
  /** The entries after one and up to another, by id. */
  readonly after: number
  readonly upTo: number
  readonly limit: number
}

/** The entries that were found, newest first. */
export interface FoundEntries {
  readonly entries: readonly SearchEntry[]
  /** The id up to which the index was searched; infinite where nothing is left. */
  readonly searched: number
}

/** The part of a write transaction that an index uses. */
export interface StatementSender {
  send(statement: Statement): Promise<void> | undefined
}

/** The part of a database that an index uses. */
export interface QueryRunner {
  run<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]>
}

/**
 * The index of an engine: from tokens to entries. Every engine keeps the same tokens and finds the same entries. A token is any
 * text without quotes and blanks.
 */
export interface SearchIndex {
  /** Adds entries, ascending by id. None of them may be there already. */
  put(tx: StatementSender, entries: readonly NewSearchEntry[]): Promise<void>
  /** Returns the newest entries, at most `limit`. It stops early where it would look at too many. */
  find(db: QueryRunner, search: EntrySearch): Promise<FoundEntries>
}

/** The token that each entry of a room has. */
export const roomToken = (room: Nid): string => `\u00b7r${room.toString(36)}`
/** The token that each entry of a sender has. */
export const senderToken = (sender: Nid): string => `\u00b7s${sender.toString(36)}`

/** Up to this number of rooms or senders, the index is asked for each; beyond it, their entries are picked out. */
export const MAX_LISTED = 64

/** Returns the lists of which an entry must have a token, with those of its room and its sender where these are few. */
export function requiredLists({ oneOfEach, rooms, senders }: EntrySearch): readonly (readonly string[])[] {
  const lists = [...oneOfEach]
  if (rooms.size <= MAX_LISTED) lists.push(Array.from(rooms, roomToken))
  if (senders && senders.size <= MAX_LISTED) lists.push(Array.from(senders, senderToken))
  return lists
}
