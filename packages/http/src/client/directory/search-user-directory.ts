// SPDX-License-Identifier: Apache-2.0
import { searchUsers } from '@myelin/services/directory/search-users'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { OptionalLimit, OptionalText } from '../../schemas.ts'

/**
 * Returns users whose name or id matches a search term.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3user_directorysearch
 */
export const searchUserDirectory = endpoint({
  id: 'searchUserDirectory',
  method: 'POST',
  path: '/_matrix/client/v3/user_directory/search',
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  body: Type.Object({ search_term: Type.String(), limit: OptionalLimit }),
  reply: Type.Object({
    limited: Type.Boolean(),
    results: Type.Array(Type.Object({ user_id: Type.String(), display_name: OptionalText, avatar_url: OptionalText })),
  }),

  handle: async ({ body, requester }, rt) =>
    searchUsers(rt, requester.userId, { term: body.search_term, limit: body.limit }),
})
