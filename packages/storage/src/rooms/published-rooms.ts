// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { ExpressionBuilder } from 'kysely'
import type { Read } from '../engine/database.ts'
import { roomNid } from '../engine/names.ts'
import type { Nid, Tables } from '../schema/schema.ts'
import type { Network } from './network-rooms.ts'

/** A room of the directory. */
export interface PublishedRoom {
  readonly roomId: RoomId
  readonly joinedCount: number
  readonly stateRoot: Nid
}

/** A place in the directory: between the rooms. The room may have grown or gone since. */
export type DirectoryPlace = Pick<PublishedRoom, 'roomId' | 'joinedCount'>

/** A directory: that of the server, that of a network, or all of them. */
export type Directory =
  | { readonly of: 'server' }
  | { readonly of: 'network'; readonly network: Network }
  | { readonly of: 'all'; readonly serviceIds: readonly string[] }

const OF_SERVER: Directory = { of: 'server' }

/**
 * Returns the published rooms with a joined member, largest first, then oldest first; after a place, or before it in
 * the same order. Returns none for a place at an unknown room.
 */
export async function publishedRooms(
  db: Read,
  page: { readonly after?: DirectoryPlace; readonly before?: DirectoryPlace; readonly limit: number },
  directory: Directory = OF_SERVER,
): Promise<PublishedRoom[]> {
  const place = page.after ?? page.before
  const isBackward = page.before !== undefined
  const nid = place && (await roomNid(db, place.roomId))
  if (place && nid === undefined) return []
  let query = db
    .selectFrom('rooms')
    .select(['room_id', 'joined_count', 'state_root'])
    .where((room) => isListed(room, directory))
    .where('joined_count', '>', 0)
    .orderBy('joined_count', isBackward ? 'asc' : 'desc')
    .orderBy('room_nid', isBackward ? 'desc' : 'asc')
    .limit(page.limit)
  if (place && nid !== undefined) {
    query = query.where((row) =>
      row.or([
        row('joined_count', isBackward ? '>' : '<', place.joinedCount),
        row.and([row('joined_count', '=', place.joinedCount), row('room_nid', isBackward ? '<' : '>', nid)]),
      ]),
    )
  }
  const rows = await query.execute()
  const rooms = rows.map((row) => ({
    roomId: row.room_id,
    joinedCount: row.joined_count,
    stateRoot: row.state_root,
  }))
  return isBackward ? rooms.toReversed() : rooms
}

/** Returns how many rooms a directory lists. */
export async function publishedCount(db: Read, directory: Directory = OF_SERVER): Promise<number> {
  const row = await db
    .selectFrom('rooms')
    .select((rooms) => rooms.fn.countAll().as('count'))
    .where((room) => isListed(room, directory))
    .where('joined_count', '>', 0)
    .executeTakeFirst()
  return Number(row?.count ?? 0)
}

function isListed(room: ExpressionBuilder<Tables, 'rooms'>, directory: Directory) {
  const isPublished = room('is_published', '=', 1)
  if (directory.of === 'server') return isPublished
  const listed = room.selectFrom('network_rooms').select('network_rooms.room_nid')
  if (directory.of === 'network') {
    const { serviceId, networkId } = directory.network
    return room('room_nid', 'in', listed.where('service_id', '=', serviceId).where('network_id', '=', networkId))
  }
  if (directory.serviceIds.length === 0) return isPublished
  return room.or([isPublished, room('room_nid', 'in', listed.where('service_id', 'in', directory.serviceIds))])
}
