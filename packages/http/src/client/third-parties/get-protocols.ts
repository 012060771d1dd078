// SPDX-License-Identifier: Apache-2.0
import { thirdPartyProtocols } from '@myelin/services/third-parties/protocols'
import { endpoint } from '../../endpoint.ts'
import { recordOf } from '../../reply-schemas.ts'
import { ProtocolReply } from './third-party-schemas.ts'

/**
 * Returns the third-party protocols that application services bridge, by name.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyprotocols
 */
export const getProtocols = endpoint({
  id: 'getProtocols',
  method: 'GET',
  path: '/_matrix/client/v3/thirdparty/protocols',
  access: 'user',
  reply: recordOf(ProtocolReply),

  handle: (_, rt) => thirdPartyProtocols(rt),
})
