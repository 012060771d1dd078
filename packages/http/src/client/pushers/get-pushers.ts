// SPDX-License-Identifier: Apache-2.0
import { readPushers } from '@myelin/services/notifications/pushers'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { pusherMembers } from '../../pusher-members.ts'

/**
 * Returns the requester's pushers.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3pushers
 */
export const getPushers = endpoint({
  id: 'getPushers',
  method: 'GET',
  path: '/_matrix/client/v3/pushers',
  access: 'user',
  reply: Type.Object({
    pushers: Type.Array(
      Type.Object({
        ...pusherMembers,
        'org.matrix.msc3881.enabled': Type.Boolean(),
        'org.matrix.msc3881.device_id': Type.String(),
      }),
    ),
  }),

  handle: async ({ requester }, rt) => ({ pushers: await readPushers(rt, requester.userId) }),
})
