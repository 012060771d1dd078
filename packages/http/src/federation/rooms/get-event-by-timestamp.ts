// SPDX-License-Identifier: Apache-2.0
import { serveEventByTime } from '@myelin/services/federation/serve/event-by-time'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { TimedEventReply } from '../../room-replies.ts'
import { oneOf, SafeInteger } from '../../schemas.ts'
import { RoomParams } from './room-params.ts'

/**
 * Returns the event of a room that is nearest to a point in time.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1timestamp_to_eventroomid
 */
export const getEventByTimestamp = endpoint({
  id: 'getEventByTimestamp',
  method: 'GET',
  path: '/_matrix/federation/v1/timestamp_to_event/:roomId',
  access: 'server',
  params: RoomParams,
  query: Type.Object({ ts: SafeInteger, dir: oneOf(['f', 'b']) }),
  reply: TimedEventReply,

  async handle({ origin, params: { roomId }, query: { ts, dir } }, rt) {
    const direction = dir === 'f' ? 'forward' : 'backward'
    const found = await serveEventByTime(rt, { origin, roomId, ts, direction })
    return { event_id: found.eventId, origin_server_ts: found.ts }
  },
})
