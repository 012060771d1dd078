// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import { authChainOf } from '@myelin/storage/rooms/events/auth-edges'
import type { Read } from '@myelin/storage/engine/database'
import { partialEvents } from '@myelin/storage/federation/partial-events'
import { namedState } from '@myelin/storage/rooms/rooms'
import { eventIdsByNid } from '@myelin/storage/federation/served-events'
import type { Runtime } from '../../runtime/runtime.ts'
import { eventIn, noSuchEvent, roomFor } from './server-access.ts'
import type { ServedRoom } from './server-access.ts'
import { hasOwnState, ServerVisibility } from './sight.ts'
import { servedPdus } from './served-pdus.ts'

type Needs = Pick<Runtime, 'db'>
type Wanted = { readonly origin: ServerName; readonly roomId: RoomId; readonly eventId: EventId }

/**
 * Returns a room's state before an event, in full, and its auth chain.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1stateroomid
 */
export async function serveState(
  rt: Needs,
  wanted: Wanted,
): Promise<{ readonly pdus: readonly RawJson[]; readonly authChain: readonly RawJson[] }> {
  const db = rt.db.read
  const { room, state } = await stateBefore(db, wanted)
  const chain = await authChainOf(db, state)
  return {
    pdus: await servedPdus(db, room.version, state),
    authChain: await servedPdus(db, room.version, [...chain]),
  }
}

/**
 * Returns the event IDs of the events that {@link serveState} returns.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1state_idsroomid
 */
export async function serveStateIds(
  rt: Needs,
  wanted: Wanted,
): Promise<{ readonly ids: readonly EventId[]; readonly authChainIds: readonly EventId[] }> {
  const db = rt.db.read
  const { state } = await stateBefore(db, wanted)
  const chain = await authChainOf(db, state)
  return { ids: await eventIdsByNid(db, state), authChainIds: await eventIdsByNid(db, [...chain]) }
}

async function stateBefore(
  db: Read,
  { origin, roomId, eventId }: Wanted,
): Promise<{ readonly room: ServedRoom; readonly state: readonly number[] }> {
  const room = await roomFor(db, origin, roomId, [eventId])
  const event = await eventIn(db, room, eventId)
  if (!hasOwnState(event)) throw noSuchEvent()
  // In a partially joined room the state of events since the join is not complete.
  if ((await partialEvents(db, [event.nid])).size > 0) throw noSuchEvent()
  await new ServerVisibility(db, room).requireFullState(event)
  return { room, state: (await namedState(db, event.stateBefore)).map((entry) => entry.event) }
}
