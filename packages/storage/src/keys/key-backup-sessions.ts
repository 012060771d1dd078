// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'
import type { Tables } from '../schema/schema.ts'

/** The key of a session: its room and its ID. */
export interface SessionName {
  readonly roomId: string
  readonly sessionId: string
}

/** By what one key of a session is better than another. */
export interface SessionRank {
  readonly firstMessageIndex: number
  readonly forwardedCount: number
  readonly isVerified: boolean
}

/** A session's key in a backup. `sessionData` is JSON that only the user's devices can read. */
export interface BackedUpSession extends SessionName, SessionRank {
  readonly sessionData: string
}

/** A backup, a room in it, or a session in that room: the scope of a read or a deletion. */
export interface BackupPart {
  readonly user: UserId
  readonly version: number
  readonly roomId?: string | undefined
  readonly sessionId?: string | undefined
}

/** Returns the ranks of those of these sessions that a backup holds. */
export async function heldSessions(
  db: Read,
  { user, version }: BackupPart,
  names: readonly SessionName[],
): Promise<(SessionName & SessionRank)[]> {
  const byRoom = Map.groupBy(names, ({ roomId }) => roomId)
  const held: (SessionName & SessionRank)[] = []
  for (const [roomId, inRoom] of byRoom) {
    const ids = inRoom.map(({ sessionId }) => sessionId)
    const rows = await inChunks(ids, (chunk) =>
      db
        .selectFrom('key_backup_sessions')
        .select(['room_id', 'session_id', 'first_message_index', 'forwarded_count', 'is_verified'])
        .where('user_id', '=', user)
        .where('version', '=', version)
        .where('room_id', '=', roomId)
        .where('session_id', 'in', chunk)
        .execute(),
    )
    held.push(...rows.map((row) => ({ ...nameFrom(row), ...rankFrom(row) })))
  }
  return held
}

/** Puts keys into a backup, in the place of those it holds of the same sessions. */
export async function putSessions(
  tx: Tx,
  { user, version }: BackupPart,
  sessions: readonly BackedUpSession[],
): Promise<void> {
  await inChunks(
    sessions,
    async (chunk) => {
      await tx
        .insertInto('key_backup_sessions')
        .values(chunk.map((session) => rowOf(user, version, session)))
        .onConflict((at) =>
          at.columns(['user_id', 'version', 'room_id', 'session_id']).doUpdateSet((row) => ({
            first_message_index: row.ref('excluded.first_message_index'),
            forwarded_count: row.ref('excluded.forwarded_count'),
            is_verified: row.ref('excluded.is_verified'),
            session_data: row.ref('excluded.session_data'),
          })),
        )
        .execute()
      return []
    },
    100,
  )
}

/** Returns the first keys of a part after one of them, by room and session. */
export async function sessionsAfter(
  db: Read,
  { user, version, roomId, sessionId }: BackupPart,
  after: SessionName | undefined,
  limit: number,
): Promise<BackedUpSession[]> {
  let query = db
    .selectFrom('key_backup_sessions')
    .selectAll()
    .where('user_id', '=', user)
    .where('version', '=', version)
    .orderBy('room_id')
    .orderBy('session_id')
    .limit(limit)
  if (roomId !== undefined) query = query.where('room_id', '=', roomId)
  if (sessionId !== undefined) query = query.where('session_id', '=', sessionId)
  if (after) {
    query = query.where((row) =>
      row.or([
        row('room_id', '>', after.roomId),
        row.and([row('room_id', '=', after.roomId), row('session_id', '>', after.sessionId)]),
      ]),
    )
  }
  const rows = await query.execute()
  return rows.map((row) => ({ ...nameFrom(row), ...rankFrom(row), sessionData: row.session_data }))
}

/** Deletes the keys of a room or session; returns whether there were any. */
export async function deleteSessions(tx: Tx, { user, version, roomId, sessionId }: BackupPart): Promise<boolean> {
  let query = tx.deleteFrom('key_backup_sessions').where('user_id', '=', user).where('version', '=', version)
  if (roomId !== undefined) query = query.where('room_id', '=', roomId)
  if (sessionId !== undefined) query = query.where('session_id', '=', sessionId)
  const [{ numDeletedRows } = { numDeletedRows: 0n }] = await query.execute()
  return numDeletedRows > 0n
}

/** Returns how many keys a backup holds. */
export async function countSessions(db: Read, { user, version }: BackupPart): Promise<number> {
  const { count } = await db
    .selectFrom('key_backup_sessions')
    .select((row) => row.fn.countAll<number>().as('count'))
    .where('user_id', '=', user)
    .where('version', '=', version)
    .executeTakeFirstOrThrow()
  return Number(count)
}

type Row = Tables['key_backup_sessions']

function rowOf(user: UserId, version: number, session: BackedUpSession): Row {
  return {
    user_id: user,
    version,
    room_id: session.roomId,
    session_id: session.sessionId,
    first_message_index: session.firstMessageIndex,
    forwarded_count: session.forwardedCount,
    is_verified: session.isVerified ? 1 : 0,
    session_data: session.sessionData,
  }
}

function nameFrom(row: Pick<Row, 'room_id' | 'session_id'>): SessionName {
  return { roomId: row.room_id, sessionId: row.session_id }
}

function rankFrom(row: Pick<Row, 'first_message_index' | 'forwarded_count' | 'is_verified'>): SessionRank {
  return {
    firstMessageIndex: row.first_message_index,
    forwardedCount: row.forwarded_count,
    isVerified: row.is_verified === 1,
  }
}
