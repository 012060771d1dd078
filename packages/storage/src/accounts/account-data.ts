// SPDX-License-Identifier: Apache-2.0
import { sql } from 'kysely'
import { RawJson } from '@myelin/kit/raw-json'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read, Tx } from '../engine/database.ts'
import { prepared } from '../engine/prepared.ts'
import type { Position } from '../schema/schema.ts'

/**
 * One entry of a user's account data; `roomId` is empty for the global ones. An entry with the content `{}` is deleted
 * (MSC3391). Its row stays, so that an incremental sync can report the deletion.
 */
export interface AccountData {
  readonly userId: UserId
  readonly roomId: RoomId | ''
  readonly type: string
  readonly content: JsonObject
}

/** Replaces the entry of a type, and wakes the user's devices. */
export async function putAccountData(tx: Tx, { userId, roomId, type, content }: AccountData): Promise<Position> {
  const position = tx.takePosition()
  const moved = { content: JSON.stringify(content), position }
  await tx
    .insertInto('account_data')
    .values({ user_id: userId, room_id: roomId, type, ...moved })
    .onConflict((at) => at.columns(['user_id', 'room_id', 'type']).doUpdateSet(moved))
    .execute()
  tx.touch(userId)
  return position
}

/** Deletes the entry of a type and wakes the user's devices; returns false if there is none. */
export async function deleteAccountData(tx: Tx, entry: Omit<AccountData, 'content'>): Promise<boolean> {
  if (!(await accountDataOf(tx, entry.userId, entry.roomId, entry.type))) return false
  await putAccountData(tx, { ...entry, content: {} })
  return true
}

const DELETED = '{}'

/** Returns the content of one entry; undefined if it was deleted. */
export async function accountDataOf(
  db: Read,
  userId: UserId,
  roomId: RoomId | '',
  type: string,
): Promise<JsonObject | undefined> {
  const [row] = await contentOf(db, userId, roomId, type)
  return row && row.content !== DELETED ? (JSON.parse(row.content) as JsonObject) : undefined
}

/** An entry whose content is still encoded. */
export interface EncodedAccountData extends Omit<AccountData, 'content'> {
  readonly content: RawJson
}

/**
 * Returns a user's entries that changed after one position and up to another, global and of rooms; deleted ones too, unless it
 * starts at 0.
 */
export async function accountDataBetween(
  db: Read,
  userId: UserId,
  after: Position,
  upTo: Position,
): Promise<EncodedAccountData[]> {
  if (!db.topicPositions.changedSince(userId, after)) return []
  const entries: EncodedAccountData[] = []
  for (let from = after; ; ) {
    const rows = await changedBetween(db, userId, from, upTo)
    for (const { room_id: roomId, type, content } of shown(rows, after)) {
      entries.push({ userId, roomId: roomId as RoomId | '', type, content: new RawJson(content) })
    }
    if (rows.length < PAGE) return entries
    from = rows.at(-1)?.position ?? upTo
  }
}

/** Returns the rows that a reader from a position on is to see: one who knows nothing needs no deleted ones. */
function shown<Row extends { readonly content: string }>(rows: readonly Row[], after: Position): readonly Row[] {
  return after > 0 ? rows : rows.filter(({ content }) => content !== DELETED)
}

/** Entries that are read at once. Each has a position of its own. */
const PAGE = 500

const changedBetween = prepared((db, user: UserId, after: Position, upTo: Position) =>
  db
    .selectFrom('account_data')
    .selectAll()
    .where('user_id', '=', user)
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .orderBy('position')
    .limit(PAGE),
)

const contentOf = prepared((db, user: UserId, roomId: string, type: string) =>
  db
    .selectFrom('account_data')
    .select('content')
    .where('user_id', '=', user)
    .where('room_id', '=', roomId)
    .where('type', '=', type),
)

/**
 * Returns all of a user's entries of one room, or the global ones, up to a position; or those that changed after another one,
 * deleted ones too.
 */
export async function accountDataOfRoom(
  db: Read,
  userId: UserId,
  roomId: RoomId | '',
  upTo: Position,
  after: Position = 0,
): Promise<EncodedAccountData[]> {
  const rows = await ofRoom(db, userId, roomId, upTo, after)
  return shown(rows, after).map(({ type, content }) => ({ userId, roomId, type, content: new RawJson(content) }))
}

const ofRoom = prepared((db, user: UserId, roomId: RoomId | '', upTo: Position, after: Position) =>
  db
    .selectFrom('account_data')
    .select(['type', 'content'])
    .where('user_id', '=', user)
    .where('room_id', '=', roomId)
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .orderBy('position'),
)

/** Returns a user's entries of one type, of all rooms and the global one. */
export async function accountDataOfType(db: Read, userId: UserId, type: string): Promise<AccountData[]> {
  const rows = await ofType(db, userId, type)
  return rows.map((row) => ({
    userId,
    roomId: row.room_id as RoomId | '',
    type,
    content: JSON.parse(row.content) as JsonObject,
  }))
}

const ofType = prepared((db, user: UserId, type: string) =>
  db.selectFrom('account_data').select(['room_id', 'content']).where('user_id', '=', user).where('type', '=', type),
)

/** The size of a user's account data in bytes: in total, and of one entry. An entry counts with its type and the overhead of a row, a deleted one too. */
export interface AccountDataSize {
  readonly totalBytes: number
  readonly entryBytes: number
}

/** The bytes that an entry counts beside its content and type: very small ones are bounded, too. */
export const ENTRY_OVERHEAD_BYTES = 100

/** Returns how much account data a user has, as JSON. */
export async function accountDataSize(
  db: Read,
  { userId, roomId, type }: Omit<AccountData, 'content'>,
): Promise<AccountDataSize> {
  const bytes = sql<number>`(octet_length(content) + octet_length(type) + ${sql.lit(ENTRY_OVERHEAD_BYTES)})`
  const rows = await db
    .selectFrom('account_data')
    .select(({ fn }) => [fn.sum<string | number | null>(bytes).as('total')])
    .select(
      sql<string | number | null>`sum(case when room_id = ${roomId} and type = ${type} then ${bytes} end)`.as('entry'),
    )
    .where('user_id', '=', userId)
    .execute()
  return { totalBytes: Number(rows[0]?.total ?? 0), entryBytes: Number(rows[0]?.entry ?? 0) }
}
