// SPDX-License-Identifier: Apache-2.0
import { turnServerFor } from '@myelin/services/calls/turn-server'
import { endpoint } from '../../endpoint.ts'

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3voipturnserver */
export const getTurnServer = endpoint({
  id: 'getTurnServer',
  method: 'GET',
  path: '/_matrix/client/v3/voip/turnServer',
  access: 'guest',
  handle: async ({ requester }, rt) => turnServerFor(rt, requester),
})
