// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import type { Runtime } from '../../runtime/runtime.ts'
import { GraphWalk } from './graph-walk.ts'
import { roomFor } from './server-access.ts'
import { seenPdus } from './served-pdus.ts'

const MAX_EVENTS = 100
const MAX_STARTS = 50

/**
 * Returns events and their predecessors, the deepest first, up to a limit; soft-failed ones where an event among these
 * names them. Events that the requesting server may not see are redacted.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1backfillroomid
 */
export async function serveBackfill(
  rt: Pick<Runtime, 'db'>,
  asked: {
    readonly origin: ServerName
    readonly roomId: RoomId
    readonly from: readonly EventId[]
    readonly limit: number
  },
): Promise<readonly RawJson[]> {
  const db = rt.db.read
  const room = await roomFor(db, asked.origin, asked.roomId, asked.from)
  const limit = Math.min(asked.limit, MAX_EVENTS)
  const walk = new GraphWalk(db, room)
  walk.add(asked.from.slice(0, MAX_STARTS))
  const events = await walk.take(limit, () => true)
  return seenPdus(db, room, events)
}
