// SPDX-License-Identifier: Apache-2.0
import { defineFilter as keepFilter, readFilter } from '@myelin/services/account-data/filters'
import { ownUser } from '@myelin/services/account-data/own-user'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import type { AnyEndpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3useruseridfilter */
export const defineFilter = endpoint({
  id: 'defineFilter',
  method: 'POST',
  path: '/_matrix/client/v3/user/:userId/filter',
  access: 'user',
  maxBodyBytes: 65_536,
  params: Type.Object({ userId: Type.String() }),
  body: JsonObjectSchema,
  async handle({ params, body, requester }, rt) {
    return { filter_id: await keepFilter(rt, ownUser(requester, params.userId), body) }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridfilterfilterid */
export const getFilter = endpoint({
  id: 'getFilter',
  method: 'GET',
  path: '/_matrix/client/v3/user/:userId/filter/:filterId',
  access: 'user',
  params: Type.Object({ userId: Type.String(), filterId: Type.String() }),
  async handle({ params, requester }, rt) {
    return readFilter(rt, ownUser(requester, params.userId), params.filterId)
  },
})

/** Filters that are kept, and named by id. */
export const filterEndpoints: readonly AnyEndpoint[] = [defineFilter, getFilter]
