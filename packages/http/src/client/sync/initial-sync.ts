// SPDX-License-Identifier: Apache-2.0
import { snapshotOfUser } from '@myelin/services/sync/response/user-snapshot'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ClientEventSchema, encodedObject, ObjectSchema } from '../../reply-schemas.ts'
import { OptionalLimit, OptionalText, oneOf } from '../../schemas.ts'

const DEFAULT_LIMIT = 10

const AccountData = encodedObject(Type.Object({ type: Type.String(), content: ObjectSchema }))

/**
 * Returns the requester's rooms with their state and newest events, their account data, and the presence of others.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3initialsync
 */
export const initialSync = endpoint({
  id: 'initialSync',
  method: 'GET',
  path: '/_matrix/client/v3/initialSync',
  access: 'user',
  query: Type.Object({ limit: OptionalLimit, archived: Type.Optional(Type.Boolean()) }),
  reply: Type.Object({
    end: Type.String(),
    presence: Type.Array(
      encodedObject(Type.Object({ type: Type.String(), sender: Type.String(), content: ObjectSchema })),
    ),
    rooms: Type.Array(
      Type.Object({
        room_id: Type.String(),
        membership: oneOf(['invite', 'join', 'leave', 'ban']),
        invite: Type.Optional(ClientEventSchema),
        messages: Type.Optional(
          Type.Object({ chunk: Type.Array(ClientEventSchema), start: OptionalText, end: Type.String() }),
        ),
        state: Type.Optional(Type.Array(ClientEventSchema)),
        visibility: Type.Optional(oneOf(['private', 'public'])),
        account_data: Type.Optional(Type.Array(AccountData)),
      }),
    ),
    account_data: Type.Array(AccountData),
  }),

  handle: async ({ query, requester }, rt) =>
    snapshotOfUser(rt, requester, { limit: query.limit ?? DEFAULT_LIMIT, isArchived: query.archived ?? false }),
})
