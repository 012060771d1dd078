// SPDX-License-Identifier: Apache-2.0
import type { RoomAlias, RoomId, UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { roomNames, roomNid } from '../engine/names.ts'

/** An alias of a room on this server, and its creator. */
export interface Alias {
  readonly alias: RoomAlias
  readonly roomId: RoomId
  readonly creator: UserId
}

/** Returns the room an alias of this server names. */
export async function aliasTarget(db: Read, alias: RoomAlias): Promise<Alias | undefined> {
  const row = await db.selectFrom('room_aliases').selectAll().where('alias', '=', alias).executeTakeFirst()
  const roomId = row && (await roomNames(db, [row.room_nid])).get(row.room_nid)
  return roomId === undefined ? undefined : { alias, roomId, creator: row?.creator ?? ('' as UserId) }
}

/** Returns the aliases this server has for a room. */
export async function aliasesOf(db: Read, roomId: RoomId): Promise<RoomAlias[]> {
  const nid = await roomNid(db, roomId)
  if (nid === undefined) return []
  const rows = await db
    .selectFrom('room_aliases')
    .select('alias')
    .where('room_nid', '=', nid)
    .orderBy('alias')
    .execute()
  return rows.map((row) => row.alias)
}

/** Creates an alias of a room; returns false where the alias is taken. */
export async function putAlias(tx: Tx, { alias, roomId, creator }: Alias, now: number): Promise<boolean> {
  const nid = await roomNid(tx, roomId)
  if (nid === undefined || (await aliasTarget(tx, alias))) return false
  await tx.insertInto('room_aliases').values({ alias, room_nid: nid, creator, created_ts: now }).execute()
  return true
}

/** Returns how many aliases a user created that are still there, and how many a room has. */
export async function countAliases(
  db: Read,
  creator: UserId,
  roomId: RoomId,
): Promise<{ readonly ofCreator: number; readonly ofRoom: number }> {
  const nid = (await roomNid(db, roomId)) ?? 0
  const counted = () => db.selectFrom('room_aliases').select((row) => row.fn.countAll<number>().as('count'))
  const ofCreator = await counted().where('creator', '=', creator).executeTakeFirst()
  const ofRoom = await counted().where('room_nid', '=', nid).executeTakeFirst()
  return { ofCreator: ofCreator?.count ?? 0, ofRoom: ofRoom?.count ?? 0 }
}

/** Takes a name away. */
export async function removeAlias(tx: Tx, alias: RoomAlias): Promise<void> {
  await tx.deleteFrom('room_aliases').where('alias', '=', alias).execute()
}

/** Gives all names of a room to another one. */
export async function moveAliases(tx: Tx, from: RoomId, to: RoomId): Promise<void> {
  const [before, after] = [await roomNid(tx, from), await roomNid(tx, to)]
  if (before === undefined || after === undefined) return
  await tx.updateTable('room_aliases').set({ room_nid: after }).where('room_nid', '=', before).execute()
}
