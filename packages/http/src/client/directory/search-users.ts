// SPDX-License-Identifier: Apache-2.0
import { searchUsers } from '@myelin/services/directory/search-users'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3user_directorysearch */
export const searchUserDirectory = endpoint({
  id: 'searchUserDirectory',
  method: 'POST',
  path: '/_matrix/client/v3/user_directory/search',
  access: 'user',
  maxBodyBytes: 65_536,
  body: Type.Object({ search_term: Type.String(), limit: Type.Optional(Type.Integer({ minimum: 0 })) }),
  async handle({ body, requester }, rt) {
    return searchUsers(rt, requester.userId, { term: body.search_term, limit: body.limit })
  },
})
