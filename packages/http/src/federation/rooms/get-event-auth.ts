// SPDX-License-Identifier: Apache-2.0
import { serveEventAuth } from '@myelin/services/federation/serve/event-auth'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { PduSchema } from '../../reply-schemas.ts'
import { EventIdSchema, RoomIdSchema } from '../../schemas.ts'

/**
 * Returns the auth chain of an event.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1event_authroomideventid
 */
export const getEventAuth = endpoint({
  id: 'getEventAuth',
  method: 'GET',
  path: '/_matrix/federation/v1/event_auth/:roomId/:eventId',
  access: 'server',
  params: Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema }),
  reply: Type.Object({ auth_chain: Type.Array(PduSchema) }),

  handle: async ({ origin, params: { roomId, eventId } }, rt) => ({
    auth_chain: await serveEventAuth(rt, origin, roomId, eventId),
  }),
})
