// SPDX-License-Identifier: Apache-2.0
import { thirdPartiesWithFields } from '@myelin/services/third-parties/lookups'
import { endpoint } from '../../endpoint.ts'
import { fieldsOf, FieldsQuery, UsersReply, ProtocolParams } from './third-party-schemas.ts'

/**
 * Returns the users of a third-party protocol that have these fields.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyuserprotocol
 */
export const queryUserByProtocol = endpoint({
  id: 'queryUserByProtocol',
  method: 'GET',
  path: '/_matrix/client/v3/thirdparty/user/:protocol',
  access: 'user',
  params: ProtocolParams,
  query: FieldsQuery,
  reply: UsersReply,

  handle: ({ params: { protocol }, query }, rt) =>
    thirdPartiesWithFields(rt, 'user', { protocol, fields: fieldsOf(query) }),
})
