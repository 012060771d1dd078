// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { JoinedServers } from '../../engine/caches.ts'
import { inChunks } from '../../engine/database.ts'
import type { Read } from '../../engine/database.ts'
import { pdusByNid } from '../events/events.ts'
import { DatabaseCache } from '../../engine/cached-reader.ts'
import { keyNames, roomNid } from '../../engine/names.ts'
import { prepared } from '../../engine/prepared.ts'
import { roomById } from '../rooms.ts'
import type { Room } from '../rooms.ts'
import type { Nid } from '../../schema/schema.ts'
import { stateDifference } from '../state/state.ts'

const ATTEMPTS = 3
// The most members that one statement returns.
const PAGE = 2000

/** Of a server with more users than this, the room's members are looked through, else the room is asked for each user. */
const MANY_USERS = 500

/**
 * Returns the servers that are in a room now, each with how many users it has there.
 *
 * Counted once per room; after that only the difference of states is read. A caller that has just read the room's row
 * passes it.
 */
export async function joinedServers(
  db: Read,
  roomId: RoomId,
  known?: Pick<Room, 'stateRoot'>,
): Promise<ReadonlyMap<ServerName, number>> {
  const nid = await roomNid(db, roomId)
  const room = known ?? (await roomById(db, roomId))
  if (nid === undefined || !room) return new Map()
  const kept = db.caches.joinedServers.get(nid)
  if (kept?.stateRoot === room.stateRoot) return kept.servers
  const isOpen = 'takePosition' in db
  if (kept && !isOpen) {
    const servers = await moved(db, kept, room.stateRoot)
    db.caches.joinedServers.set(nid, { stateRoot: room.stateRoot, servers })
    return servers
  }
  return counted(db, roomId, nid, !isOpen)
}

/** Returns the servers that were in a room under a state of it, each with how many users it had there. */
export async function joinedServersAt(db: Read, roomId: RoomId, root: Nid): Promise<ReadonlyMap<ServerName, number>> {
  const nid = await roomNid(db, roomId)
  const room = await roomById(db, roomId)
  if (nid === undefined || !room) return new Map()
  const kept = lastAsked.of(db).get(roomId)
  if (kept?.stateRoot === root) return kept.servers
  const servers = await joinedServers(db, roomId)
  const counted = db.caches.joinedServers.get(nid)
  if (counted?.stateRoot === root) return counted.servers
  const then = await moved(db, kept ?? counted ?? { stateRoot: room.stateRoot, servers }, root)
  if (kept ?? counted) lastAsked.of(db).set(roomId, { stateRoot: root, servers: then })
  return then
}

/** The last count of each room: the next one is usually of a state close by. */
const lastAsked = new DatabaseCache<JoinedServers>('serversLastAsked', 1_000)

async function moved(db: Read, from: JoinedServers, to: Nid): Promise<Map<ServerName, number>> {
  const servers = new Map(from.servers)
  const differences = await stateDifference(db, from.stateRoot, to)
  const names = await keyNames(
    db,
    differences.map(({ key }) => key),
  )
  const events = await pdusByNid(
    db,
    differences.flatMap(({ before, after }) => [before ?? [], after ?? []].flat()),
  )
  const isJoin = (nid: Nid | undefined) => {
    const pdu = nid === undefined ? undefined : events.get(nid)
    return pdu !== undefined && stringMember(pdu.content, 'membership') === 'join'
  }
  for (const { key, before, after } of differences) {
    const name = names.get(key)
    if (name?.type !== 'm.room.member') continue
    add(servers, serverOf(name.stateKey as UserId), Number(isJoin(after)) - Number(isJoin(before)))
  }
  return servers
}

/**
 * Counts the joined users of each server. The count is valid only if the room did not change between reading state and
 * members.
 */
async function counted(db: Read, roomId: RoomId, nid: Nid, mayKeep: boolean): Promise<Map<ServerName, number>> {
  let servers = new Map<ServerName, number>()
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = await roomById(db, roomId)
    servers = new Map()
    for (const user of await joinedUsers(db, nid)) add(servers, serverOf(user), 1)
    const after = await roomById(db, roomId)
    if (before?.stateRoot !== after?.stateRoot) continue
    if (mayKeep && after) db.caches.joinedServers.set(nid, { stateRoot: after.stateRoot, servers })
    break
  }
  return servers
}

async function joinedUsers(db: Read, room: Nid): Promise<UserId[]> {
  const users: UserId[] = []
  for (let after = 0, isWhole = false; !isWhole; ) {
    const page = await db
      .selectFrom('members')
      .innerJoin('users', 'users.user_nid', 'members.user_nid')
      .select(['users.user_id', 'members.user_nid'])
      .where('members.room_nid', '=', room)
      .where('members.user_nid', '>', after)
      .where('members.membership', '=', 'join')
      .orderBy('members.user_nid')
      .limit(PAGE)
      .execute()
    for (const row of page) users.push(row.user_id)
    after = page.at(-1)?.user_nid ?? after
    isWhole = page.length < PAGE
  }
  return users
}

function add(servers: Map<ServerName, number>, server: ServerName, count: number): void {
  const total = (servers.get(server) ?? 0) + count
  if (total > 0) servers.set(server, total)
  else servers.delete(server)
}

/** Returns the users of one server that have or had anything to do with a room, and where they stand now. */
export async function usersOfServer(
  db: Read,
  roomId: RoomId,
  server: ServerName,
): Promise<{ readonly userId: UserId; readonly membership: string }[]> {
  const nid = await roomNid(db, roomId)
  if (nid === undefined) return []
  const known = await firstOfServer(db, server)
  const rows = known.length > MANY_USERS ? await inRoomOf(db, nid, server) : await standingsIn(db, nid, known)
  return rows.map((row) => ({ userId: row.user_id, membership: row.membership }))
}

const firstOfServer = prepared((db, server: ServerName) =>
  db
    .selectFrom('users')
    .select(['user_nid', 'user_id'])
    .where('server', '=', server)
    .orderBy('server')
    .orderBy('user_nid')
    .limit(MANY_USERS + 1),
)

const inRoomOf = prepared((db, room: Nid, server: ServerName) =>
  db
    .selectFrom('members')
    .innerJoin('users', 'users.user_nid', 'members.user_nid')
    .select(['users.user_id', 'members.membership'])
    .where('members.room_nid', '=', room)
    .where('users.server', '=', server),
)

async function standingsIn(
  db: Read,
  room: Nid,
  users: readonly { readonly user_nid: Nid; readonly user_id: UserId }[],
): Promise<{ readonly user_id: UserId; readonly membership: string }[]> {
  const names = new Map(users.map((user) => [user.user_nid, user.user_id]))
  const rows = await inChunks([...names.keys()], (chunk) =>
    db
      .selectFrom('members')
      .select(['user_nid', 'membership'])
      .where('room_nid', '=', room)
      .where('user_nid', 'in', chunk)
      .execute(),
  )
  return rows.flatMap(({ user_nid: nid, membership }) => {
    const userId = names.get(nid)
    return userId === undefined ? [] : [{ user_id: userId, membership }]
  })
}
