// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { contentHashMatches } from '@myelin/rules/events/content-hash'
import { parsePdu } from '@myelin/rules/events/parse-pdu'
import { addSignature } from '@myelin/rules/events/signing'
import type { Tx } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsById } from '@myelin/storage/rooms/events/events'
import { relayEvent } from '@myelin/storage/federation/outgoing-events'
import { openRoom } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { appendForeign } from '../../rooms/append/append-foreign.ts'
import type { Checker } from '../../rooms/intake/check-incoming.ts'
import { recommended } from '../../rooms/intake/recommended.ts'
import { isNeed } from '../../rooms/resolution/unit-needs.ts'
import type { ResolutionNeed } from '../../rooms/resolution/unit-needs.ts'
import { writeResolved } from '../../rooms/resolution/write-resolved.ts'
import { authorisingUserFor } from '../../rooms/append/authorising-user.ts'
import type { EnteredRoom } from '../../rooms/append/authorising-user.ts'
import { checkEventSignatures } from '../../peers/trust/check-signatures.ts'
import { handshakeRoom } from './handshake-room.ts'

/** A member event that another server built for one of its users. */
export interface GivenMembership {
  readonly origin: ServerName
  readonly roomId: RoomId
  readonly membership: 'join' | 'leave' | 'knock'
  readonly json: JsonObject
}

/** The appended event, and its room. */
export interface TakenMembership {
  readonly room: EnteredRoom
  readonly event: StoredEvent
}

/**
 * Appends the member event of another server's user and sends it to the other servers in the room.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid
 */
export async function takeMembership(rt: Checker, given: GivenMembership): Promise<TakenMembership> {
  const room = await handshakeRoom(rt, given.origin, given.roomId, given.membership !== 'leave')
  const pdu = await withAuthorizingSignature(rt, room, memberEventOf(given, room))
  const signed = await checkEventSignatures(rt, room.version, [pdu])
  if (!signed.has(pdu.id)) throw new MatrixError('M_INVALID_PARAM', 'a signature of the event is missing or wrong')
  if (!contentHashMatches(pdu.json)) throw new MatrixError('M_INVALID_PARAM', 'the content hash of the event is wrong')
  const [welcome = pdu] = await signedByPolicyServer(rt, room, pdu)
  return { room, event: await writeResolved(rt, (tx) => appendTaken(tx, room, welcome, rt.clock.now())) }
}

/** Returns the event with the signature of the room's policy server, which a server outside the room cannot request. */
async function signedByPolicyServer(rt: Checker, { id, version }: EnteredRoom, pdu: Pdu): Promise<readonly Pdu[]> {
  const { pdus, unwanted } = await recommended(rt, { roomId: id, version }, [pdu])
  if (unwanted.has(pdu.id)) throw new MatrixError('M_FORBIDDEN', "the room's policy server does not allow it")
  return pdus
}

/** Returns the event, which must match the room and membership of the request (CVE-2020-26257). */
function memberEventOf(given: GivenMembership, { version }: EnteredRoom): Pdu {
  const pdu = parsePdu(given.json, version)
  const isAsked =
    pdu.roomId === given.roomId &&
    pdu.type === 'm.room.member' &&
    stringMember(pdu.content, 'membership') === given.membership &&
    pdu.stateKey === pdu.sender &&
    serverOf(pdu.sender) === given.origin
  if (!isAsked)
    throw new MatrixError('M_INVALID_PARAM', `the event must be a ${given.membership} of a user of ${given.origin}`)
  return pdu
}

/**
 * Adds this server's signature to a restricted join that a local user authorizes, where the join rule's conditions
 * hold.
 */
async function withAuthorizingSignature(rt: Checker, room: EnteredRoom, pdu: Pdu): Promise<Pdu> {
  const authorisingUser = stringMember(pdu.content, 'join_authorised_via_users_server')
  const mayHaveOne = room.version.auth.joinRules.includes('restricted')
  if (authorisingUser === undefined || !mayHaveOne || stringMember(pdu.content, 'membership') !== 'join') return pdu
  if (serverOf(authorisingUser as UserId) !== rt.serverName) {
    throw new MatrixError('M_INVALID_PARAM', '`join_authorised_via_users_server` must be a user of this server')
  }
  await authorisingUserFor(rt.db.read, rt, room, pdu.sender)
  return addSignature(pdu, room.version, { serverName: rt.serverName, key: rt.signingKey })
}

async function appendTaken(
  tx: Tx,
  { id, version }: EnteredRoom,
  pdu: Pdu,
  now: number,
): Promise<StoredEvent | ResolutionNeed> {
  const room = await openRoom(tx, id)
  const outcome = room && (await appendForeign(tx, room, { pdu, version }))
  if (isNeed(outcome)) return outcome
  const [event] = await eventsById(tx, [pdu.id])
  if (outcome === 'waits')
    throw new MatrixError('M_INVALID_PARAM', '`prev_events` names events that this server does not know')
  if (event?.status !== EVENT_STATUS.accepted || event.position === null) {
    throw new MatrixError('M_FORBIDDEN', 'the authorization rules of the room do not allow this event')
  }
  if (outcome === 'appended') await relayEvent(tx, pdu.id, now)
  return event
}
