// SPDX-License-Identifier: Apache-2.0
import { roomSnapshot } from '@myelin/services/reading/room-snapshot'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ClientEventSchema, encodedObject, ObjectSchema } from '../../reply-schemas.ts'
import { OptionalLimit, OptionalText, oneOf, RoomIdSchema } from '../../schemas.ts'

const DEFAULT_LIMIT = 10

/**
 * Returns the state of a room and its newest events, also of a room that a user only looks into.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidinitialsync
 */
export const roomInitialSync = endpoint({
  id: 'roomInitialSync',
  method: 'GET',
  path: '/_matrix/client/v3/rooms/:roomId/initialSync',
  access: 'guest',
  params: Type.Object({ roomId: RoomIdSchema }),
  // Synapse takes a limit; clients send one.
  query: Type.Object({ limit: OptionalLimit }),
  reply: Type.Object({
    room_id: Type.String(),
    membership: OptionalText,
    messages: Type.Object({ chunk: Type.Array(ClientEventSchema), start: OptionalText, end: Type.String() }),
    state: Type.Array(ClientEventSchema),
    visibility: oneOf(['private', 'public']),
    account_data: Type.Array(encodedObject(Type.Object({ type: Type.String(), content: ObjectSchema }))),
  }),

  handle: async ({ params, query, requester }, rt) =>
    roomSnapshot(rt, requester, params.roomId, query.limit ?? DEFAULT_LIMIT),
})
