// SPDX-License-Identifier: Apache-2.0
import { capabilitiesOf } from '@myelin/services/accounts/capabilities'
import { endpoint } from '../../endpoint.ts'

/**
 * What the user who asks can do on this server.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3capabilities
 */
export const getCapabilities = endpoint({
  id: 'getCapabilities',
  method: 'GET',
  path: '/_matrix/client/v3/capabilities',
  access: 'guest',
  handle: async ({ requester }, rt) => ({ capabilities: capabilitiesOf(rt, requester) }),
})
