// SPDX-License-Identifier: Apache-2.0
import { serverWellKnown } from '@myelin/services/accounts/well-known'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { encodedObject } from '../../reply-schemas.ts'
import { requireDocument } from '../../require-document.ts'

/**
 * Returns the address of this server for other servers.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#getwell-knownmatrixserver
 */
export const getWellKnown = endpoint({
  id: 'getWellKnown',
  method: 'GET',
  path: '/.well-known/matrix/server',
  access: 'none',
  reply: encodedObject(Type.Object({ 'm.server': Type.String() })),

  handle: async (_, rt) => requireDocument(serverWellKnown(rt)),
})
