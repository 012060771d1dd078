// SPDX-License-Identifier: Apache-2.0
import { loadPresence } from '@myelin/services/runtime/presence/show-presence'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { encodedObject } from '../../reply-schemas.ts'
import { OptionalText } from '../../schemas.ts'
import { PRESENCE, PresenceParams, PresenceStateSchema } from './presence-params.ts'

/**
 * Returns the presence of a user.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3presenceuseridstatus
 */
export const getPresence = endpoint({
  id: 'getPresence',
  method: 'GET',
  path: PRESENCE,
  access: 'user',
  params: PresenceParams,
  reply: encodedObject(
    Type.Object({
      presence: PresenceStateSchema,
      last_active_ago: Type.Optional(Type.Integer()),
      status_msg: OptionalText,
      currently_active: Type.Optional(Type.Boolean()),
    }),
  ),

  handle: async ({ params: { userId }, requester }, rt) => loadPresence(rt, requester.userId, userId),
})
