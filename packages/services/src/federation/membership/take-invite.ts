// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { contentHashMatches } from '@myelin/rules/events/content-hash'
import { parsePdu } from '@myelin/rules/events/parse-pdu'
import { addSignature } from '@myelin/rules/events/signing'
import { ROOM_VERSIONS } from '@myelin/rules/room-versions'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { isResident } from '../../room-state/servers-around.ts'
import { recordOutside } from '../../rooms/handshake/outside-room.ts'
import type { Checker } from '../../rooms/intake/check-incoming.ts'
import { refuseBlockedInvite } from '../../standing/invite-rules.ts'
import { stripped } from '../../room-state/stripped-state.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { checkEventSignatures } from '../../peers/trust/check-signatures.ts'
import { handshakeRoom } from './handshake-room.ts'
import { shownRoomState } from '../../rooms/handshake/shown-room-state.ts'

/** An invite of a local user, as another server sends it. */
export interface GivenInvite {
  readonly origin: ServerName
  readonly roomId: RoomId
  readonly eventId: EventId
  readonly roomVersion: string
  readonly json: JsonObject
  readonly roomState: Json | undefined
}

type Needs = Checker & Pick<Runtime, 'limits'>

/**
 * Accepts an invite: checks it, records it for the local user, and returns it with this server's signature.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid
 */
export async function takeInvite(rt: Needs, given: GivenInvite): Promise<JsonObject> {
  const version = knownVersion(given.roomVersion)
  const pdu = inviteOf(rt, given, version)
  const context = { roomId: given.roomId, version }
  if (await isResident(rt, given.roomId)) await handshakeRoom(rt, given.origin, given.roomId)
  const signed = await checkEventSignatures(rt, version, [pdu])
  if (!signed.has(pdu.id) || !contentHashMatches(pdu.json)) {
    throw new MatrixError('M_INVALID_PARAM', 'a signature or the content hash of the invite is wrong')
  }
  const target = pdu.stateKey as UserId
  await refuseBlockedInvite(rt.db.read, target, pdu.sender)
  const state = await shownRoomState(rt, context, given.roomState)
  rt.limits.take('invitePerUser', target)
  const event = addSignature(pdu, version, { serverName: rt.serverName, key: rt.signingKey })
  const others = state.filter((each) => each['type'] !== 'm.room.member' || each['state_key'] !== target)
  const shown = JSON.stringify([...others, stripped(pdu)])
  await rt.db.write((tx) => recordOutside(tx, rt, context, { event, shown }))
  return event.json
}

function knownVersion(id: string): RoomVersion {
  const version = ROOM_VERSIONS.get(id)
  if (version) return version
  throw new MatrixError('M_INCOMPATIBLE_ROOM_VERSION', 'the room version is not supported', {
    extra: { room_version: id },
  })
}

/**
 * Returns the event, which must be an invite of a local user by a user of the origin; this server signs nothing else.
 */
function inviteOf(rt: Needs, given: GivenInvite, version: RoomVersion): Pdu {
  const pdu = parsePdu(given.json, version)
  const isInvite =
    pdu.roomId === given.roomId &&
    pdu.id === given.eventId &&
    pdu.type === 'm.room.member' &&
    stringMember(pdu.content, 'membership') === 'invite' &&
    serverOf(pdu.sender) === given.origin &&
    isUserId(pdu.stateKey) &&
    serverOf(pdu.stateKey) === rt.serverName
  if (!isInvite)
    throw new MatrixError('M_INVALID_PARAM', 'the event must be an invite of a user of this server by a user of yours')
  return pdu
}
