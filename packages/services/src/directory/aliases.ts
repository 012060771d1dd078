// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomAlias } from '@myelin/matrix/ids'
import type { RoomAlias, RoomId, ServerName } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { isWorldReadable } from '@myelin/rules/visibility'
import { aliasesOf, aliasTarget, removeAlias } from '@myelin/storage/rooms/aliases'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import { addAlias, refuseForeignAlias } from '../rooms/add-alias.ts'
import { loadStateEvent } from '../room-state/load-auth-state.ts'
import { askForAlias } from '../peers/app-service.ts'
import { askAlias } from '../peers/alias.ts'
import { relayedError } from '../peers/ask-server.ts'
import type { Asker } from '../peers/ask-server.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { residentServers } from '../room-state/resident-servers.ts'
import { isAllowedBy } from '../room-state/directory-rules.ts'
import { dropCanonicalAlias } from './drop-canonical-alias.ts'
import { mayCreateAlias } from './may-create-alias.ts'

type Needs = Pick<Runtime, 'db' | 'serverName'>

/**
 * Creates a local alias of a room, for its members. Throws a 409 where the alias exists, and `M_FORBIDDEN` where the user or
 * the room has too many.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directoryroomroomalias
 */
export async function createAlias(
  rt: Needs & Pick<Runtime, 'clock' | 'config'>,
  requester: Requester,
  text: string,
  roomId: RoomId,
): Promise<void> {
  const alias = checkedAlias(text)
  if (serverOfAlias(alias) !== rt.serverName || /^#:|\s/.test(alias)) {
    throw new MatrixError('M_INVALID_PARAM', 'the alias must be valid and of this server')
  }
  refuseForeignAlias(rt, requester, alias)
  await rt.db.write(async (tx) => {
    const { userId, isAdmin } = requester
    const standing = await membershipIn(tx, roomId, userId)
    const mustBeJoined = rt.config.rooms.aliasesNeedMembership && !isAdmin
    if (mustBeJoined && standing?.membership !== 'join')
      throw new MatrixError('M_FORBIDDEN', 'you are not in this room')
    if (!(await roomById(tx, roomId))) throw new MatrixError('M_NOT_FOUND', 'no such room')
    if (!isAllowedBy(rt.config.rooms.aliasRules, { userId, roomId, aliases: [alias] }))
      throw new MatrixError('M_FORBIDDEN', 'you are not allowed to create this alias')
    if (await addAlias(tx, { alias, roomId, creator: userId }, rt.clock.now())) return
    throw new MatrixError('M_UNKNOWN', `room alias ${alias} already exists`, { status: 409 })
  })
}

/** A room, and resident servers of it. */
export interface FoundRoom {
  readonly roomId: RoomId
  readonly servers: readonly ServerName[]
}

/**
 * Returns the room that an alias names, with resident servers; an alias of another server is resolved there.
 *
 * @param payer the user whose limit the request counts for, or the address of a client without an access token
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directoryroomroomalias
 */
export async function findRoom(
  rt: Needs & Asker & Pick<Runtime, 'limits' | 'log'>,
  payer: string,
  text: string,
): Promise<FoundRoom> {
  const alias = checkedAlias(text)
  if (serverOfAlias(alias) === rt.serverName) return findLocalRoom(rt, alias)
  try {
    return await rt.limits.lookUp(payer, () => askAlias(rt, alias))
  } catch (cause) {
    throw relayedError(cause)
  }
}

/** Returns the room that a local alias names; throws `M_NOT_FOUND` for any other alias. */
export async function findLocalRoom(
  rt: Needs & Pick<Runtime, 'remote' | 'config' | 'log'>,
  text: string,
): Promise<FoundRoom> {
  const alias = checkedAlias(text)
  let target = await aliasTarget(rt.db.read, alias)
  // An application service may create the room while it is asked.
  if (!target && (await askForAlias(rt, alias))) target = await aliasTarget(rt.db.read, alias)
  if (!target) throw noSuchAlias(text)
  return { roomId: target.roomId, servers: await residentServers(rt, target.roomId) }
}

/**
 * Deletes a local alias, for its creator and users who may manage the room's aliases. A canonical alias event that
 * names it is updated, if the user may.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3directoryroomroomalias
 */
export async function deleteAlias(
  rt: Needs & Parameters<typeof dropCanonicalAlias>[0],
  requester: Requester,
  text: string,
): Promise<void> {
  const alias = checkedAlias(text)
  const roomId = await rt.db.write(async (tx) => {
    const target = await aliasTarget(tx, alias)
    if (!target) throw noSuchAlias(alias)
    if (target.creator !== requester.userId && !(await mayCreateAlias(tx, requester, target.roomId))) {
      throw new MatrixError('M_FORBIDDEN', 'you do not have permission to delete this alias')
    }
    await removeAlias(tx, alias)
    return target.roomId
  })
  await dropCanonicalAlias(rt, { roomId, sender: requester.userId, alias })
}

/**
 * Returns the local aliases of a room, for its members, or for all users where the room is world readable.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidaliases
 */
export async function aliasesFor(rt: Needs, { userId }: Requester, roomId: RoomId): Promise<RoomAlias[]> {
  const db = rt.db.read
  const room = await roomById(db, roomId)
  const standing = room && (await membershipIn(db, roomId, userId))
  if (standing?.membership === 'join') return aliasesOf(db, roomId)
  const visibility = room && (await loadStateEvent(db, room.stateRoot, 'm.room.history_visibility'))
  if (!visibility || !isWorldReadable(stringMember(visibility.content, 'history_visibility'))) {
    throw new MatrixError('M_FORBIDDEN', 'you are not in this room')
  }
  return aliasesOf(db, roomId)
}

function checkedAlias(text: string): RoomAlias {
  if (!isRoomAlias(text)) throw new MatrixError('M_INVALID_PARAM', 'invalid room alias')
  return text
}

function noSuchAlias(alias: string): MatrixError {
  return new MatrixError('M_NOT_FOUND', `room alias ${alias} not found`)
}

function serverOfAlias(alias: RoomAlias): string {
  return alias.slice(alias.indexOf(':') + 1)
}
