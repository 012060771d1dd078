// SPDX-License-Identifier: Apache-2.0
import { thirdPartiesNamed } from '@myelin/services/third-parties/lookups'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { UsersReply } from './third-party-schemas.ts'

/**
 * Returns the third-party users that a user ID stands for.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyuser
 */
export const queryUserById = endpoint({
  id: 'queryUserByID',
  method: 'GET',
  path: '/_matrix/client/v3/thirdparty/user',
  access: 'user',
  query: Type.Object({ userid: Type.String() }),
  reply: UsersReply,

  handle: ({ query: { userid } }, rt) => thirdPartiesNamed(rt, 'user', userid),
})
