// SPDX-License-Identifier: Apache-2.0
import { readThreadSubscriptions } from '@myelin/services/notifications/thread-subscriptions'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'
import { oneOf, OptionalText, PositiveLimit } from '../../schemas.ts'

const DEFAULT_LIMIT = 100

/**
 * Returns a page of the requester's thread subscriptions, the latest change first.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4308
 */
export const getThreadSubscriptions = endpoint({
  id: 'getThreadSubscriptions',
  method: 'GET',
  path: '/_matrix/client/unstable/io.element.msc4308/thread_subscriptions',
  access: 'user',
  query: Type.Object({ dir: oneOf(['b']), from: OptionalText, to: OptionalText, limit: PositiveLimit }),
  reply: Type.Object({
    subscribed: Type.Optional(ObjectSchema),
    unsubscribed: Type.Optional(ObjectSchema),
    end: OptionalText,
  }),

  handle: async ({ query: { from, to, limit = DEFAULT_LIMIT }, requester }, rt) =>
    readThreadSubscriptions(rt, requester, { from, to, limit }),
})
