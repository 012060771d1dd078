// SPDX-License-Identifier: Apache-2.0
import { keyChanges } from '@myelin/services/keys/key-changes'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { DeviceListsReply } from '../sync/device-lists-reply.ts'
import { OptionalText } from '../../schemas.ts'

/**
 * Returns the users whose devices changed between two sync tokens; without the second one, until now, as in Synapse.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3keyschanges
 */
export const getKeysChanges = endpoint({
  id: 'getKeysChanges',
  method: 'GET',
  path: '/_matrix/client/v3/keys/changes',
  access: 'guest',
  query: Type.Object({ from: Type.String(), to: OptionalText }),
  reply: DeviceListsReply,

  handle: ({ query, requester }, rt) => keyChanges(rt, requester.userId, query),
})
