// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import { nearestEvent } from '../../reading/nearest-event.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import { noSuchEvent, roomFor } from './server-access.ts'
import { ServerVisibility } from './sight.ts'

/**
 * Returns the event nearest to a time that the requesting server may see.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1timestamp_to_eventroomid
 */
export async function serveEventByTime(
  rt: Pick<Runtime, 'db'>,
  asked: {
    readonly origin: ServerName
    readonly roomId: RoomId
    readonly ts: number
    readonly direction: 'forward' | 'backward'
  },
): Promise<{ readonly eventId: EventId; readonly ts: number }> {
  const db = rt.db.read
  const room = await roomFor(db, asked.origin, asked.roomId)
  const sight = new ServerVisibility(db, room)
  const event = await nearestEvent(db, asked, async (events) => {
    for (const each of events) if (await sight.isWhole(each)) return each
    return undefined
  })
  if (!event) throw noSuchEvent()
  return { eventId: event.pdu.id, ts: event.pdu.originServerTs }
}
