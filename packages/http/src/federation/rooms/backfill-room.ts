// SPDX-License-Identifier: Apache-2.0
import { serveBackfill } from '@myelin/services/federation/serve/backfill'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EventIds, PdusReply, RoomParams } from './room-params.ts'

/**
 * Returns events of a room that precede given ones.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1backfillroomid
 */
export const backfillRoom = endpoint({
  id: 'backfillRoom',
  method: 'GET',
  path: '/_matrix/federation/v1/backfill/:roomId',
  access: 'server',
  params: RoomParams,
  query: Type.Object({ v: EventIds, limit: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }) }),
  reply: PdusReply,

  async handle({ origin, params: { roomId }, query: { v: from, limit } }, rt) {
    const pdus = await serveBackfill(rt, { origin, roomId, from, limit })
    return { origin: rt.serverName, origin_server_ts: rt.clock.now(), pdus }
  },
})
