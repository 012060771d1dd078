// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomId, isUserId, serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { roomById } from '@myelin/storage/rooms/rooms'
import { loadStateEvent } from '../../room-state/load-auth-state.ts'
import { isResident } from '../../room-state/servers-around.ts'
import { inviteUser } from '../../rooms/membership.ts'
import { askServer } from '../../peers/ask-server.ts'
import { handshakeRoom } from './handshake-room.ts'

type Needs = Parameters<typeof inviteUser>[0]

/** A third-party invite whose address was bound to a user; `signed` is the identity server's statement. */
interface BoundInvite {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly target: UserId
  readonly signed: JsonObject
}

const MOST = 20

/**
 * Sends the invite of a user for a third-party invite whose address was bound on another server. The authorization
 * rules check the identity server's signature.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1exchange_third_party_inviteroomid
 */
export async function exchangeInvite(rt: Needs, origin: ServerName, roomId: RoomId, event: JsonObject): Promise<void> {
  await handshakeRoom(rt, origin, roomId, true)
  const content = objectMember(event, 'content') ?? {}
  const signed = objectMember(objectMember(content, 'third_party_invite') ?? {}, 'signed')
  const [sender, target] = [member(event, 'sender'), member(event, 'state_key')]
  const isInvite =
    signed !== undefined &&
    member(event, 'type') === 'm.room.member' &&
    member(event, 'room_id') === roomId &&
    member(content, 'membership') === 'invite' &&
    isUserId(sender) &&
    serverOf(sender) === rt.serverName &&
    isUserId(target) &&
    member(signed, 'mxid') === target
  if (!isInvite)
    throw new MatrixError('M_INVALID_PARAM', 'the event must be a third-party invite by a user of this server')
  await inviteBound(rt, { roomId, sender, target, signed })
}

/**
 * Handles an identity server's notice that an address was bound to a local user: each sender of a third-party invite
 * now invites the user.
 *
 * The request is not signed, so it is a hint only; each invite is checked by the signature inside it.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv13pidonbind
 */
export async function takeBinding(rt: Needs, user: UserId, invites: readonly Json[]): Promise<void> {
  if (!isUserId(user) || serverOf(user) !== rt.serverName) {
    throw new MatrixError('M_INVALID_PARAM', 'user is not on this server')
  }
  for (const each of invites.slice(0, MOST).flatMap((json) => boundInvite(user, json))) {
    try {
      if (serverOf(each.sender) === rt.serverName) await inviteBound(rt, each)
      else await passOn(rt, each)
    } catch (cause) {
      if (!(cause instanceof MatrixError || cause instanceof RemoteError)) throw cause
      rt.log.info({ err: cause }, 'a third-party invite could not be exchanged')
    }
  }
}

function boundInvite(target: UserId, json: Json): BoundInvite[] {
  const invite = objectMember({ json }, 'json') ?? {}
  const [roomId, sender, signed] = [member(invite, 'room_id'), member(invite, 'sender'), objectMember(invite, 'signed')]
  if (!isRoomId(roomId) || !isUserId(sender) || !signed || member(signed, 'mxid') !== target) return []
  return [{ roomId, sender, target, signed }]
}

async function inviteBound(rt: Needs, { roomId, sender, target, signed }: BoundInvite): Promise<void> {
  const room = (await isResident(rt, roomId)) ? await roomById(rt.db.read, roomId) : undefined
  const token = stringMember(signed, 'token') ?? ''
  const original = room && (await loadStateEvent(rt.db.read, room.stateRoot, 'm.room.third_party_invite', token))
  const name = original && stringMember(original.content, 'display_name')
  if (original?.sender !== sender || name === undefined) {
    throw new MatrixError('M_FORBIDDEN', 'the room has no third-party invite with this token')
  }
  await inviteUser(rt, { roomId, sender, target }, { extra: { third_party_invite: { display_name: name, signed } } })
}

async function passOn(rt: Needs, { roomId, sender, target, signed }: BoundInvite): Promise<void> {
  rt.limits.take('invitePerUser', target)
  const content = { membership: 'invite', third_party_invite: { display_name: target, signed } }
  const event = { type: 'm.room.member', room_id: roomId, sender, state_key: target, content }
  const path = federationPath(['federation', 'v1', 'exchange_third_party_invite', roomId])
  await askServer(rt, serverOf(sender), { method: 'PUT', target: path, body: event })
}
