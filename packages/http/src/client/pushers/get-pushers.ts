// SPDX-License-Identifier: Apache-2.0
import { readPushers } from '@myelin/services/notifications/pushers'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'

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
        app_display_name: Type.String(),
        app_id: Type.String(),
        data: ObjectSchema,
        device_display_name: Type.String(),
        kind: Type.String(),
        lang: Type.String(),
        profile_tag: Type.String(),
        pushkey: Type.String(),
        'org.matrix.msc3881.enabled': Type.Boolean(),
        'org.matrix.msc3881.device_id': Type.String(),
      }),
    ),
  }),

  handle: async ({ requester }, rt) => ({ pushers: await readPushers(rt, requester.userId) }),
})
