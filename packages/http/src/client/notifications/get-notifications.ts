// SPDX-License-Identifier: Apache-2.0
import { readNotifications } from '@myelin/services/notifications/read-notifications'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'

const DEFAULT_LIMIT = 50

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3notifications */
export const getNotifications = endpoint({
  id: 'getNotifications',
  method: 'GET',
  path: '/_matrix/client/v3/notifications',
  access: 'user',
  query: Type.Object({
    from: Type.Optional(Type.String()),
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    only: Type.Optional(Type.String()),
  }),
  async handle({ query: { from, limit, only }, requester }, rt) {
    return readNotifications(rt, requester, { from, limit: limit ?? DEFAULT_LIMIT, only })
  },
})
