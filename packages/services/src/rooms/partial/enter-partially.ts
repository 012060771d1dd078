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

/** So many servers of a room are believed to be there before we know. */
const MOST_SERVERS = 10_000

/**
 * The servers that are in a room, as the one we joined through says, itself first; undefined where it told us all
 * members. They are told what our users say there until we know better, and nothing else.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid
 */
export function hintedServersIn(answer: JsonObject, server: ServerName): readonly ServerName[] | undefined {
  if (member(answer, 'members_omitted') !== true) return undefined
  const list = member(answer, 'servers_in_room')
  const named = Array.isArray(list) ? (list as readonly Json[]).slice(0, MOST_SERVERS) : []
  return [...new Set([server, ...named.filter(isServerName)])]
}

/**
 * Notes, in the unit that enters a room, whether its members are known: with the servers that are said to be there and
 * the state as it was shown where they are not.
 */
export async function noteMembersKnown(
  tx: Tx,
  room: OpenRoom,
  own: Pdu,
  omitted: { readonly servers: readonly ServerName[]; readonly baseRoot: number } | undefined,
): Promise<void> {
  const [join] = await eventsById(tx, [own.id])
  if (!join) throw new Error('the join that was just appended is gone')
  if (!omitted) {
    if (room.isPartial) await dropPartialRoom(tx, room.nid)
    return
  }
  await putPartialRoom(tx, { room: room.nid, join: join.nid, ...omitted })
  await putPartialEvent(tx, room.nid, join.nid)
}
