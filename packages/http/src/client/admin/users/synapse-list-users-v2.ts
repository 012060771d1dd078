// SPDX-License-Identifier: Apache-2.0
import { endpoint } from '../../../endpoint.ts'
import { UserListQuery, UserListReply, userList } from './user-list.ts'

/**
 * Returns a page of the users; deactivated ones only where `deactivated` is true.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#list-accounts
 */
export const synapseListUsersV2 = endpoint({
  id: 'synapseListUsersV2',
  method: 'GET',
  path: '/_synapse/admin/v2/users',
  access: 'admin',
  query: UserListQuery,
  reply: UserListReply,

  handle: ({ query }, rt) => userList(rt, query, query.deactivated === true ? undefined : false),
})
