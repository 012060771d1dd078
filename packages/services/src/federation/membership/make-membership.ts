// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId, serverOf } from '@myelin/matrix/ids'
import type { RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { openRoom } from '@myelin/storage/rooms/rooms'
import type { EventMaker } from '../../rooms/drafts/event-draft.ts'
import { nextEvent } from '../../rooms/append/extend-room.ts'
import { isNeed } from '../../rooms/resolution/unit-needs.ts'
import { writeResolved } from '../../rooms/resolution/write-resolved.ts'
import { authorisingUserFor } from '../../rooms/append/authorising-user.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { handshakeRoom } from './handshake-room.ts'

/** A request for a member event template. */
export interface MembershipRequest {
  readonly origin: ServerName
  readonly roomId: RoomId
  readonly userId: UserId
  readonly membership: 'join' | 'leave' | 'knock'
  /** The room versions that the other server supports; absent if it need not support the room's. */
  readonly versions?: readonly string[]
}

/**
 * Returns the template by which a user of another server may join, leave or knock, without hashes and signatures.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1make_joinroomiduserid
 */
export async function makeMembership(
  rt: EventMaker & Pick<Runtime, 'db'>,
  { origin, roomId, userId, membership, versions }: MembershipRequest,
): Promise<JsonObject> {
  if (!isUserId(userId) || serverOf(userId) !== origin) {
    throw new MatrixError('M_FORBIDDEN', '`userId` must be a user of your server')
  }
  const room = await handshakeRoom(rt, origin, roomId, membership !== 'leave')
  if (versions && !versions.includes(room.version.id)) {
    throw new MatrixError('M_INCOMPATIBLE_ROOM_VERSION', 'your server does not support the room version', {
      extra: { room_version: room.version.id },
    })
  }
  const authorisingUser = membership === 'join' ? await authorisingUserFor(rt.db.read, rt, room, userId) : undefined
  const content = {
    membership,
    ...(authorisingUser === undefined ? {} : { join_authorised_via_users_server: authorisingUser }),
  }
  const draft = { roomId, sender: userId, type: 'm.room.member', stateKey: userId, content }
  const event = await writeResolved(rt, async (tx) => {
    const open = await openRoom(tx, roomId)
    if (!open) throw new MatrixError('M_NOT_FOUND', 'this server is not in the room')
    const next = await nextEvent(tx, rt, open, draft).catch(forServers)
    return isNeed(next) ? next : next.event
  })
  const { hashes: _hashes, signatures: _signatures, event_id: _eventId, ...template } = event.json
  return { room_version: room.version.id, event: { ...template, origin: rt.serverName } }
}

/** Throws `M_FORBIDDEN` for each refusal by the rules, the only code that servers expect. */
function forServers(cause: unknown): never {
  if (!(cause instanceof MatrixError) || cause.code !== 'M_BAD_STATE') throw cause
  throw new MatrixError('M_FORBIDDEN', cause.message, { cause })
}
