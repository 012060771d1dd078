// SPDX-License-Identifier: Apache-2.0
import { readNotifications } from '@myelin/services/notifications/read-notifications'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'
import { OptionalText, PositiveLimit } from '../../schemas.ts'

const DEFAULT_LIMIT = 50

/**
 * Returns a page of the events the requester was notified of.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3notifications
 */
export const getNotifications = endpoint({
  id: 'getNotifications',
  method: 'GET',
  path: '/_matrix/client/v3/notifications',
  access: 'user',
  query: Type.Object({ from: OptionalText, limit: PositiveLimit, only: OptionalText }),
  reply: Type.Object({
    notifications: Type.Array(
      Type.Object({
        actions: Type.Array(Type.Unknown()),
        event: Type.Optional(ObjectSchema),
        read: Type.Boolean(),
        room_id: Type.String(),
        ts: Type.Integer(),
      }),
    ),
    next_token: OptionalText,
  }),

  handle: async ({ query: { from, limit = DEFAULT_LIMIT, only }, requester }, rt) =>
    readNotifications(rt, requester, { from, limit, only }),
})
