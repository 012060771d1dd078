// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { prepared } from '../engine/prepared.ts'
import type { Nid } from '../schema/schema.ts'

/** Records that a local user is joining a room through another server; returns the number of the record. */
export async function putPendingJoin(
  tx: Tx,
  join: { readonly roomId: RoomId; readonly roomVersion: string; readonly sinceTs: number },
): Promise<Nid> {
  const nid = tx.takeNid()
  const row = { join_nid: nid, room_id: join.roomId, room_version: join.roomVersion, since_ts: join.sinceTs }
  await tx.insertInto('joins_under_way').values(row).execute()
  return nid
}

/** Takes the note of a join away: it came to its end. */
export async function dropPendingJoin(tx: Tx, nid: Nid): Promise<void> {
  await tx.deleteFrom('joins_under_way').where('join_nid', '=', nid).execute()
}

/** Deletes the records of all joins to a room, once a local user is in it; also those that killed processes left. */
export async function dropPendingJoinsTo(tx: Tx, roomId: RoomId): Promise<void> {
  await tx.deleteFrom('joins_under_way').where('room_id', '=', roomId).execute()
}

/** Deletes the records of joins that began before a time, which killed processes left; returns whether there were any. */
export async function dropStalePendingJoins(tx: Tx, beforeTs: number): Promise<boolean> {
  const gone = await tx.deleteFrom('joins_under_way').where('since_ts', '<', beforeTs).returning('join_nid').execute()
  return gone.length > 0
}

/** Returns the version of a room that a local user has been joining since a time (ms). */
export async function versionOfPendingJoin(db: Read, roomId: RoomId, sinceTs: number): Promise<string | undefined> {
  return (await newestTo(db, roomId, sinceTs))[0]?.room_version
}

const newestTo = prepared((db, roomId: RoomId, sinceTs: number) =>
  db
    .selectFrom('joins_under_way')
    .select('room_version')
    .where('room_id', '=', roomId)
    .where('since_ts', '>=', sinceTs)
    .orderBy('join_nid', 'desc')
    .limit(1),
)
