// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { EventId, ServerName } from '@myelin/matrix/ids'
import { eventById } from '@myelin/storage/rooms/events/events'
import type { Runtime } from '../../runtime/runtime.ts'
import { eventIn, noSuchEvent, roomFor } from './server-access.ts'
import { seenPdus } from './served-pdus.ts'
import { hasOwnState } from './sight.ts'

/**
 * Returns one event, redacted where the requesting server may not see its content.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1eventeventid
 */
export async function serveEvent(rt: Pick<Runtime, 'db'>, origin: ServerName, eventId: EventId): Promise<RawJson> {
  const db = rt.db.read
  const found = await eventById(db, eventId)
  if (!found) throw noSuchEvent()
  const room = await roomFor(db, origin, found.pdu.roomId, [eventId])
  const event = await eventIn(db, room, eventId)
  // The state before a message outside the timeline is unknown, and so is who may see it.
  if (!hasOwnState(event) && event.pdu.stateKey === undefined) throw noSuchEvent()
  const [pdu] = await seenPdus(db, room, [event])
  if (!pdu) throw noSuchEvent()
  return pdu
}
