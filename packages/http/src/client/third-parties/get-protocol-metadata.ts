// SPDX-License-Identifier: Apache-2.0
import { thirdPartyProtocol } from '@myelin/services/third-parties/protocols'
import { endpoint } from '../../endpoint.ts'
import { ProtocolParams, ProtocolReply } from './third-party-schemas.ts'

/**
 * Returns a third-party protocol.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3thirdpartyprotocolprotocol
 */
export const getProtocolMetadata = endpoint({
  id: 'getProtocolMetadata',
  method: 'GET',
  path: '/_matrix/client/v3/thirdparty/protocol/:protocol',
  access: 'user',
  params: ProtocolParams,
  reply: ProtocolReply,

  handle: ({ params: { protocol } }, rt) => thirdPartyProtocol(rt, protocol),
})
