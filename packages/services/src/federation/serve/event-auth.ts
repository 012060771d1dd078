// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import { authChainOf, nidsOfEvents } from '@myelin/storage/rooms/events/auth-edges'
import type { Runtime } from '../../runtime/runtime.ts'
import { eventIn, roomFor } from './server-access.ts'
import { ServerVisibility } from './sight.ts'
import { servedPdus } from './served-pdus.ts'

/**
 * Returns the whole auth chain of an event, for a server with access to its room.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1event_authroomideventid
 */
export async function serveEventAuth(
  rt: Pick<Runtime, 'db'>,
  origin: ServerName,
  roomId: RoomId,
  eventId: EventId,
): Promise<readonly RawJson[]> {
  const db = rt.db.read
  const room = await roomFor(db, origin, roomId, [eventId])
  const event = await eventIn(db, room, eventId)
  await new ServerVisibility(db, room).requireFullState(event)
  // Auth chains are stored for state events; this one may be a message.
  const named = [...(await nidsOfEvents(db, event.pdu.authEvents)).values()]
  const chain = await authChainOf(db, named)
  return servedPdus(db, room.version, [...new Set([...named, ...chain])])
}
