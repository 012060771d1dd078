// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { cachedReader } from '../engine/cached-reader.ts'
import { userNid } from '../engine/names.ts'
import { prepared } from '../engine/prepared.ts'
import type { Nid } from '../schema/schema.ts'

/** The topic of rooms whose members must be fetched. */
export const PARTIAL = 'partial rooms'

/** A room with partial state. */
export interface PartialRoom {
  readonly roomId: RoomId
  readonly room: Nid
  readonly roomVersion: string
  /** The join by which we entered. */
  readonly join: Nid
  /** The root of the state before it, as it was shown to us. */
  readonly baseRoot: Nid
  /** The same with the members; 0 until they are there. */
  readonly fullRoot: Nid
  /** Resident servers as the join answer named them; first the one we joined through. */
  readonly servers: readonly ServerName[]
  /** The number of failed attempts to fetch the members, and the time of the next one, in ms. */
  readonly tries: number
  readonly retryTs: number
  /** The time (ms) at which the last local user left; 0 while one is joined. */
  readonly leftTs: number
}

/**
 * Marks a room as one with partial state, in the write transaction of the join; records of an earlier join are
 * replaced.
 */
export async function putPartialRoom(
  tx: Tx,
  { room, join, baseRoot, servers }: Pick<PartialRoom, 'room' | 'join' | 'baseRoot' | 'servers'>,
): Promise<void> {
  await dropPartialRoom(tx, room)
  await tx
    .insertInto('partial_rooms')
    .values({
      room_nid: room,
      join_nid: join,
      base_root: baseRoot,
      full_root: 0,
      servers: JSON.stringify(servers),
      tries: 0,
      retry_ts: 0,
      left_ts: 0,
    })
    .execute()
  await tx.updateTable('rooms').set({ is_partial: 1 }).where('room_nid', '=', room).execute()
  tx.touch(PARTIAL)
}

/** Ends a room's partial state and deletes its records. A caller that completes the room also takes a position for it. */
export async function dropPartialRoom(tx: Tx, room: Nid): Promise<void> {
  await tx.deleteFrom('partial_rooms').where('room_nid', '=', room).execute()
  await tx.deleteFrom('partial_events').where('room_nid', '=', room).execute()
  await tx.updateTable('rooms').set({ is_partial: 0 }).where('room_nid', '=', room).execute()
}

const rowsOf = (db: Read) =>
  db
    .selectFrom('partial_rooms')
    .innerJoin('rooms', 'rooms.room_nid', 'partial_rooms.room_nid')
    .selectAll('partial_rooms')
    .select(['rooms.room_id', 'rooms.room_version'])

/** Returns all rooms whose members are not known, those that were entered first to begin with. */
export async function partialRooms(db: Read): Promise<PartialRoom[]> {
  const rows = await rowsOf(db).orderBy('partial_rooms.join_nid').execute()
  return rows.map(partialRoomFrom)
}

/** Returns one of them; undefined where a room's members are known. */
export async function partialRoom(db: Read, roomId: RoomId): Promise<PartialRoom | undefined> {
  const [row] = await rowOf(db, roomId)
  return row && partialRoomFrom(row)
}

const rowOf = prepared((db, roomId: RoomId) => rowsOf(db).where('rooms.room_id', '=', roomId))

/** Returns the servers said to be in a room with partial state; none for other rooms. Cached until the room changes. */
export const hintedServers: (db: Read, roomId: RoomId) => Promise<readonly ServerName[]> = cachedReader(
  'hintedServers',
  5_000,
  (roomId: RoomId) => roomId,
  async (db, roomId: RoomId) => (await partialRoom(db, roomId))?.servers ?? [],
)

/** Returns the rooms without known members that a user is in. */
export async function partialRoomsWith(db: Read, user: UserId): Promise<RoomId[]> {
  const nid = await userNid(db, user)
  if (nid === undefined) return []
  const rows = await db
    .selectFrom('partial_rooms')
    .innerJoin('rooms', 'rooms.room_nid', 'partial_rooms.room_nid')
    .innerJoin('members', 'members.room_nid', 'partial_rooms.room_nid')
    .select('rooms.room_id')
    .where('members.user_nid', '=', nid)
    .where('members.membership', '=', 'join')
    .execute()
  return rows.map((row) => row.room_id)
}

/** Records a failed attempt to fetch a room's members, and the time of the next. */
export async function postponePartialRoom(tx: Tx, room: Nid, tries: number, retryTs: number): Promise<void> {
  await tx.updateTable('partial_rooms').set({ tries, retry_ts: retryTs }).where('room_nid', '=', room).execute()
}

/** Records the time at which the last local user left a partial room, and when it is checked again. */
export async function notePartialRoomLeft(tx: Tx, room: Nid, leftTs: number, retryTs: number): Promise<void> {
  await tx
    .updateTable('partial_rooms')
    .set({ left_ts: leftTs, retry_ts: retryTs })
    .where('room_nid', '=', room)
    .execute()
}

/** Keeps the whole state before the join. */
export async function putFullRoot(tx: Tx, { room, join }: PartialRoom, fullRoot: Nid): Promise<void> {
  await tx
    .updateTable('partial_rooms')
    .set({ full_root: fullRoot })
    .where('room_nid', '=', room)
    .where('join_nid', '=', join)
    .execute()
}

function partialRoomFrom(row: {
  room_id: RoomId
  room_nid: Nid
  room_version: string
  join_nid: Nid
  base_root: Nid
  full_root: Nid
  servers: string
  tries: number
  retry_ts: number
  left_ts: number
}): PartialRoom {
  return {
    roomId: row.room_id,
    room: row.room_nid,
    roomVersion: row.room_version,
    join: row.join_nid,
    baseRoot: row.base_root,
    fullRoot: row.full_root,
    servers: JSON.parse(row.servers) as ServerName[],
    tries: row.tries,
    retryTs: row.retry_ts,
    leftTs: row.left_ts,
  }
}
