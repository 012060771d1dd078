// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { versionOfRoom } from '@myelin/storage/rooms/rooms'
import { askServer } from '../../peers/ask-server.ts'
import { referenceHashes } from '../append/extend-room.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import type { Joiner } from './join-remote.ts'
import { recordOutside } from './outside-room.ts'
import { askTemplate, eventFrom } from './template.ts'
import type { MembershipRequest } from './template.ts'
import { tryServers } from './try-servers.ts'

/**
 * Rejects an invite to a room that this server is not in, or retracts a knock, through the first of these servers that
 * accepts the leave. Where none does, the leave is recorded locally, so that a user can always reject an invite.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#leaving-rooms-rejecting-invites
 */
export async function leaveRemote(
  rt: Joiner,
  servers: readonly ServerName[],
  standing: Membership,
  order: { readonly request: MembershipRequest; readonly content: JsonObject },
): Promise<void> {
  const { request, content } = order
  const version = roomVersionOf(await versionOfRoom(rt.db.read, request.roomId))
  const event =
    (await tellServers(rt, servers, version, order)) ?? (await ownLeave(rt, standing, { version, request, content }))
  await rt.db.write((tx) => recordOutside(tx, rt, { roomId: request.roomId, version }, { event }))
}

async function tellServers(
  rt: Joiner,
  servers: readonly ServerName[],
  version: RoomVersion,
  { request, content }: { readonly request: MembershipRequest; readonly content: JsonObject },
): Promise<Pdu | undefined> {
  try {
    return await tryServers(rt, servers, async (server) => {
      const template = await askTemplate(rt, server, request)
      if (template.version.eventIds !== version.eventIds)
        throw new RemoteError('malformed', 'the room has another version')
      const event = eventFrom(rt, template, request, content)
      const target = federationPath(['federation', 'v2', 'send_leave', request.roomId, event.id])
      await askServer(rt, server, { method: 'PUT', target, body: event.json })
      return event
    })
  } catch (cause) {
    if (!(cause instanceof MatrixError)) throw cause
    return undefined
  }
}

/** Records a leave that stays local, directly after the invite. */
async function ownLeave(
  rt: Joiner,
  { eventNid }: Membership,
  {
    version,
    request,
    content,
  }: { readonly version: RoomVersion; readonly request: MembershipRequest; readonly content: JsonObject },
): Promise<Pdu> {
  const invite = (await eventsByNid(rt.db.read, [eventNid])).get(eventNid)
  if (!invite) throw new MatrixError('M_UNKNOWN', 'Not a known room', { status: 404 })
  const { id, depth } = invite.pdu
  const hashes = await referenceHashes(rt.db.read, version, [id])
  return eventFrom(
    rt,
    { version, prevEvents: [id], authEvents: [id], hashes, depth: depth + 1, authorisingUser: undefined },
    request,
    content,
  )
}
