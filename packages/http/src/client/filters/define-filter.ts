// SPDX-License-Identifier: Apache-2.0
import { defineFilter as putFilter } from '@myelin/services/account-data/filters'
import { ownUser } from '@myelin/services/account-data/own-user'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'

/**
 * Stores a filter and returns its id.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter
 */
export const defineFilter = endpoint({
  id: 'defineFilter',
  method: 'POST',
  path: '/_matrix/client/v3/user/:userId/filter',
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  params: Type.Object({ userId: Type.String() }),
  body: JsonObjectSchema,
  reply: Type.Object({ filter_id: Type.String() }),

  handle: async ({ params, body, requester }, rt) => ({
    filter_id: await putFilter(rt, ownUser(requester, params.userId), body),
  }),
})
