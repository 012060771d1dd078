// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { parseToken } from '@myelin/services/room-state/page-token'
import { readEventStream } from '@myelin/services/sync/response/event-stream'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema, openObject } from '../../reply-schemas.ts'
import { OptionalLimit, OptionalText, RoomIdSchema } from '../../schemas.ts'

const DEFAULT_TIMEOUT_MS = 30_000

/** An event of a room, or one that passes: typing, a receipt, presence. */
const StreamedEvent = openObject({ type: Type.String(), content: ObjectSchema })

/**
 * Returns the events after a token, of all rooms of the requester, or with `room_id` of a room that is only looked into; waits for
 * the first one up to `timeout` milliseconds. Guests must name a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3events
 */
export const getEvents = endpoint({
  id: 'getEvents',
  alsoServes: ['peekEvents'],
  method: 'GET',
  path: '/_matrix/client/v3/events',
  access: 'guest',
  query: Type.Object({ from: OptionalText, timeout: OptionalLimit, room_id: Type.Optional(RoomIdSchema) }),
  reply: Type.Object({
    start: Type.String(),
    end: Type.String(),
    chunk: Type.Array(StreamedEvent),
  }),

  async handle({ query, requester, signal }, rt) {
    if (requester.isGuest && query.room_id === undefined) {
      throw new MatrixError('M_MISSING_PARAM', '`room_id` is missing: guests must name a room')
    }
    const from = query.from === undefined || query.from === '' ? undefined : parseToken(query.from)
    const timeoutMs = query.timeout ?? DEFAULT_TIMEOUT_MS
    return readEventStream(rt, { requester, from, roomId: query.room_id, timeoutMs }, signal)
  },
})
