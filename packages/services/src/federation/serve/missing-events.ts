// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import { EVENT_STATUS, eventsById } from '@myelin/storage/rooms/events/events'
import type { Runtime } from '../../runtime/runtime.ts'
import { GraphWalk } from './graph-walk.ts'
import { roomFor } from './server-access.ts'
import { seenPdus } from './served-pdus.ts'

const MAX_EVENTS = 50
const MAX_NAMED = 100

/**
 * Returns the events between the requesting server's extremities and the events it names, the earliest first; the
 * latest ones where they are too many.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#post_matrixfederationv1get_missing_eventsroomid
 */
export async function serveMissingEvents(
  rt: Pick<Runtime, 'db'>,
  asked: {
    readonly origin: ServerName
    readonly roomId: RoomId
    readonly earliest: readonly EventId[]
    readonly latest: readonly EventId[]
    readonly limit: number
    readonly minDepth: number
  },
): Promise<readonly RawJson[]> {
  const db = rt.db.read
  const room = await roomFor(db, asked.origin, asked.roomId, asked.latest)
  const latest = asked.latest.slice(0, MAX_NAMED)
  const walk = new GraphWalk(db, room, [...asked.earliest.slice(0, MAX_NAMED), ...latest])
  for (const { pdu, status } of await eventsById(db, latest)) {
    if (pdu.roomId === room.id && status !== EVENT_STATUS.rejected) walk.add(pdu.prevEvents)
  }
  const limit = Math.min(asked.limit, MAX_EVENTS)
  const events = await walk.take(limit, ({ pdu }) => pdu.depth >= asked.minDepth)
  return seenPdus(db, room, events.toReversed())
}
