// SPDX-License-Identifier: Apache-2.0
import { thirdPartiesWithFields } from '@myelin/services/third-parties/lookups'
import { endpoint } from '../../endpoint.ts'
import { fieldsOf, FieldsQuery, LocationsReply, ProtocolParams } from './third-party-schemas.ts'

/**
 * Returns the portal rooms of a third-party protocol that have these fields.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartylocationprotocol
 */
export const queryLocationByProtocol = endpoint({
  id: 'queryLocationByProtocol',
  method: 'GET',
  path: '/_matrix/client/v3/thirdparty/location/:protocol',
  access: 'user',
  params: ProtocolParams,
  query: FieldsQuery,
  reply: LocationsReply,

  handle: ({ params: { protocol }, query }, rt) =>
    thirdPartiesWithFields(rt, 'location', { protocol, fields: fieldsOf(query) }),
})
