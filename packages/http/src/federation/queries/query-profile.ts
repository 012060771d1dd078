// SPDX-License-Identifier: Apache-2.0
import { serveProfile } from '@myelin/services/federation/serve/profile'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'
import { OptionalText, UserIdSchema } from '../../schemas.ts'

/**
 * Returns the profile of a user of this server, or one field of it.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1queryprofile
 */
export const queryProfile = endpoint({
  id: 'queryProfile',
  method: 'GET',
  path: '/_matrix/federation/v1/query/profile',
  access: 'server',
  query: Type.Object({ user_id: UserIdSchema, field: OptionalText }),
  reply: ObjectSchema,

  handle: ({ query }, rt) => serveProfile(rt, query.user_id, query.field),
})
