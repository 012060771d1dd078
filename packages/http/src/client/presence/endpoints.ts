// SPDX-License-Identifier: Apache-2.0
import { ownUser } from '@myelin/services/account-data/own-user'
import { loadPresence } from '@myelin/services/runtime/presence/show-presence'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import type { AnyEndpoint } from '../../endpoint.ts'
import { UserIdSchema } from '../../schemas.ts'

const path = '/_matrix/client/v3/presence/:userId/status'
const params = Type.Object({ userId: UserIdSchema })
/** Longer words nobody reads. */
const MAX_STATUS = 1_000

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3presenceuseridstatus */
export const getPresence = endpoint({
  id: 'getPresence',
  method: 'GET',
  path,
  access: 'user',
  params,
  handle: async ({ params: { userId }, requester }, rt) => loadPresence(rt, requester.userId, userId),
})

/**
 * Says how present the user is on the device that asks, and in their own words; does nothing where presence is off.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3presenceuseridstatus
 */
export const setPresence = endpoint({
  id: 'setPresence',
  method: 'PUT',
  path,
  access: 'user',
  params,
  body: Type.Object({
    presence: Type.Union([Type.Literal('online'), Type.Literal('unavailable'), Type.Literal('offline')]),
    status_msg: Type.Optional(Type.Union([Type.String({ maxLength: MAX_STATUS }), Type.Null()])),
  }),
  async handle({ params: { userId }, body, requester }, rt) {
    ownUser(requester, userId)
    if (!rt.config.presence.isEnabled) return {}
    rt.limits.take('presence', requester.userId)
    await rt.presence.says(requester, body.presence, body.status_msg ?? undefined)
    return {}
  },
})

/** Who is there. */
export const presenceEndpoints: readonly AnyEndpoint[] = [getPresence, setPresence]
