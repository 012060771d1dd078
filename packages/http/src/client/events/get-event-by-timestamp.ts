// SPDX-License-Identifier: Apache-2.0
import { readEventByTime } from '@myelin/services/reading/event-by-time'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { TimedEventReply } from '../../room-replies.ts'
import { oneOf, RoomIdSchema, SafeInteger } from '../../schemas.ts'

/**
 * Returns the event of a room that is nearest to a point in time.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event
 */
export const getEventByTimestamp = endpoint({
  id: 'getEventByTimestamp',
  method: 'GET',
  path: '/_matrix/client/v1/rooms/:roomId/timestamp_to_event',
  access: 'user',
  params: Type.Object({ roomId: RoomIdSchema }),
  // Required by the spec, and left out by clients; forwards then.
  query: Type.Object({ ts: SafeInteger, dir: Type.Optional(oneOf(['f', 'b'])) }),
  reply: TimedEventReply,

  async handle({ params: { roomId }, query: { ts, dir }, requester }, rt) {
    const direction = dir === 'b' ? 'backward' : 'forward'
    const found = await readEventByTime(rt, requester, { roomId, ts, direction })
    return { event_id: found.eventId, origin_server_ts: found.ts }
  },
})
