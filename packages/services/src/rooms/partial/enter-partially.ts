// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import { isServerName } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Tx } from '@myelin/storage/engine/database'
import { eventsById } from '@myelin/storage/rooms/events/events'
import { putPartialEvent } from '@myelin/storage/federation/partial-events'
import { dropPartialRoom, putPartialRoom } from '@myelin/storage/federation/partial-rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'

/** The most servers assumed to be in a room before its members are known. */
const MAX_SERVERS = 10_000

/**
 * Returns the servers in a room according to the join answer, the resident server first; undefined where all members
 * were sent. Until the members are known, local events are sent to these servers, and the list is used for nothing
 * else.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid
 */
export function hintedServersIn(answer: JsonObject, server: ServerName): readonly ServerName[] | undefined {
  if (member(answer, 'members_omitted') !== true) return undefined
  const list = member(answer, 'servers_in_room')
  const named = Array.isArray(list) ? (list as readonly Json[]).slice(0, MAX_SERVERS) : []
  return [...new Set([server, ...named.filter(isServerName)])]
}

/**
 * Records, in the unit that enters a room, that the join is partial, with the assumed servers and the state that was
 * sent.
 */
export async function noteMembersKnown(
  tx: Tx,
  room: OpenRoom,
  own: Pdu,
  omitted: { readonly servers: readonly ServerName[]; readonly baseRoot: number } | undefined,
): Promise<void> {
  const [join] = await eventsById(tx, [own.id])
  if (!join) throw new Error('the appended join cannot be read')
  if (!omitted) {
    if (room.isPartial) await dropPartialRoom(tx, room.nid)
    return
  }
  await putPartialRoom(tx, { room: room.nid, join: join.nid, ...omitted })
  await putPartialEvent(tx, room.nid, join.nid)
}
