// SPDX-License-Identifier: Apache-2.0
import { clientWellKnown } from '@myelin/services/accounts/well-known'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { openObject } from '../../reply-schemas.ts'
import { requireDocument } from '../../require-document.ts'

/**
 * Returns the address of this server for clients.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixclient
 */
export const getWellknown = endpoint({
  id: 'getWellknown',
  method: 'GET',
  path: '/.well-known/matrix/client',
  access: 'none',
  reply: openObject({ 'm.homeserver': Type.Object({ base_url: Type.String() }) }),

  handle: async (_, rt) => requireDocument(clientWellKnown(rt)),
})
