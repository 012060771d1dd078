// SPDX-License-Identifier: Apache-2.0
import { ownUser } from '@myelin/services/account-data/own-user'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { PRESENCE, PresenceParams, PresenceStateSchema } from './presence-params.ts'

const MAX_STATUS_CHARACTERS = 1_000

/**
 * Sets the presence and the status message of the requesting device; does nothing where presence is disabled.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3presenceuseridstatus
 */
export const setPresence = endpoint({
  id: 'setPresence',
  method: 'PUT',
  path: PRESENCE,
  access: 'user',
  params: PresenceParams,
  body: Type.Object({
    presence: PresenceStateSchema,
    status_msg: Type.Optional(Type.String({ maxLength: MAX_STATUS_CHARACTERS })),
  }),
  reply: EmptySchema,

  async handle({ params: { userId }, body, requester }, rt) {
    ownUser(requester, userId)
    if (!rt.config.presence.isEnabled) return {}
    rt.limits.take('presence', requester.userId)
    await rt.presence.report(requester, body.presence, body.status_msg)
    return {}
  },
})
