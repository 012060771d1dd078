// SPDX-License-Identifier: Apache-2.0
import { thirdPartiesNamed } from '@myelin/services/third-parties/lookups'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { LocationsReply } from './third-party-schemas.ts'

/**
 * Returns the third-party locations that an alias stands for.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartylocation
 */
export const queryLocationByAlias = endpoint({
  id: 'queryLocationByAlias',
  method: 'GET',
  path: '/_matrix/client/v3/thirdparty/location',
  access: 'user',
  query: Type.Object({ alias: Type.String() }),
  reply: LocationsReply,

  handle: ({ query: { alias } }, rt) => thirdPartiesNamed(rt, 'location', alias),
})
