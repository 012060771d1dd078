// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../../../endpoint.ts'
import { UserListQuery, UserListReply, userList } from './user-list.ts'

/**
 * Returns a page of the users; `deactivated` selects those that are, or are not; all without it.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#list-accounts-v3
 */
export const synapseListUsersV3 = endpoint({
  id: 'synapseListUsersV3',
  method: 'GET',
  path: '/_synapse/admin/v3/users',
  access: 'admin',
  query: UserListQuery,
  reply: UserListReply,

  handle: ({ query }, rt) => userList(rt, query, query.deactivated),
})
