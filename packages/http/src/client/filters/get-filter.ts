// SPDX-License-Identifier: Apache-2.0
import { readFilter } from '@myelin/services/account-data/filters'
import { ownUser } from '@myelin/services/account-data/own-user'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'

/**
 * Returns a stored filter.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridfilterfilterid
 */
export const getFilter = endpoint({
  id: 'getFilter',
  method: 'GET',
  path: '/_matrix/client/v3/user/:userId/filter/:filterId',
  access: 'user',
  params: Type.Object({ userId: Type.String(), filterId: Type.String() }),
  reply: ObjectSchema,

  handle: async ({ params, requester }, rt) => readFilter(rt, ownUser(requester, params.userId), params.filterId),
})
