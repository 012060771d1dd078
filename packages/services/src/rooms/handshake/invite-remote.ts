// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { serverOf } from '@myelin/matrix/ids'
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import { objectMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { withSignature } from '@myelin/matrix/signatures'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { openRoom } from '@myelin/storage/rooms/rooms'
import { askServer } from '../../peers/ask-server.ts'
import { nextSignedEvent } from '../append/extend-room.ts'
import { appendForeign } from '../append/append-foreign.ts'
import { isNeed } from '../resolution/unit-needs.ts'
import { writeResolved } from '../resolution/write-resolved.ts'
import { notInRoomText } from '../drafts/refusal.ts'
import { writeEvents } from '../append/write-events.ts'
import { shownPdus } from '../../room-state/stripped-state.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import type { Joiner } from './join-remote.ts'
import { refusalOf } from './try-servers.ts'

/** The sender, target and room of an invite to a user of another server, and its content. */
export interface RemoteInvite {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly target: UserId
  readonly content: JsonObject
}

type Prepared = { readonly event: Pdu; readonly version: RoomVersion; readonly shown: readonly JsonObject[] }

/**
 * Invites a user of another server and returns the ID of the invite event. That server receives the invite first and
 * may refuse it; only with its signature is the event appended to the room.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#inviting-to-a-room
 */
export async function inviteRemote(rt: Joiner, invite: RemoteInvite): Promise<EventId> {
  const prepared = await prepare(rt, invite)
  const server = serverOf(invite.target)
  const signed = await offer(rt, server, prepared)
  const outcome = await writeResolved(rt, async (tx) => {
    const room = await openRoom(tx, invite.roomId)
    return room && appendForeign(tx, room, { pdu: signed, version: prepared.version })
  })
  if (outcome !== 'appended') throw new MatrixError('M_FORBIDDEN', 'the room no longer allows this event')
  return signed.id
}

async function prepare(rt: Joiner, { roomId, sender, target, content }: RemoteInvite): Promise<Prepared> {
  return writeEvents(rt, async (tx, maker) => {
    const room = await openRoom(tx, roomId)
    if (!room) throw new MatrixError('M_FORBIDDEN', notInRoomText(sender))
    const draft = { roomId, sender, type: 'm.room.member', stateKey: target, content, origin: rt.serverName }
    const event = await nextSignedEvent(tx, maker, room, draft)
    if (isNeed(event)) return event
    const shown = await shownPdus(tx, room.stateRoot, sender)
    return { event, version: roomVersionOf(room.roomVersion), shown: shown.map(({ json }) => json) }
  })
}

async function offer(rt: Joiner, server: ServerName, prepared: Prepared): Promise<Pdu> {
  try {
    return await sendInvite(rt, server, prepared)
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    rt.remote.reportFailure(server, cause)
    const refusal = refusalOf([cause])
    if (refusal.code !== 'M_INCOMPATIBLE_ROOM_VERSION') throw refusal
    throw new MatrixError('M_UNSUPPORTED_ROOM_VERSION', refusal.message, { cause })
  }
}

async function sendInvite(rt: Joiner, server: ServerName, { event, version, shown }: Prepared): Promise<Pdu> {
  const target = (api: string) => federationPath(['federation', api, 'invite', event.roomId, event.id])
  try {
    const body = { room_version: version.id, event: event.json, invite_room_state: shown }
    const answer = await askServer(rt, server, { method: 'PUT', target: target('v2'), body, keepNumbers: true })
    return signedBy(server, event, objectMember(answer, 'event'))
  } catch (cause) {
    const mayBeOlder = version.eventIds === 'chosen by server'
    if (!mayBeOlder || !(cause instanceof RemoteError) || ![400, 404].includes(cause.status ?? 0)) throw cause
    const body = { ...event.json, unsigned: { invite_room_state: shown } }
    const reply = await rt.remote.open(server, { method: 'PUT', target: target('v1'), body })
    if (reply.status !== 200) throw cause
    return event
  }
}

/** Returns the local event with the signature of the invited user's server; nothing else of the answer is used. */
function signedBy(server: ServerName, event: Pdu, back: JsonObject | undefined): Pdu {
  const signatures = objectMember(objectMember(back ?? {}, 'signatures') ?? {}, server)
  for (const [keyId, signature] of Object.entries(signatures ?? {})) {
    if (typeof signature === 'string') return { ...event, json: withSignature(event.json, server, keyId, signature) }
  }
  throw new RemoteError('malformed', `${server} did not sign the invite`)
}
