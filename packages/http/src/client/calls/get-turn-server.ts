// SPDX-License-Identifier: Apache-2.0
import { turnServerFor } from '@myelin/services/calls/turn-server'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { encodedObject } from '../../reply-schemas.ts'
import { OptionalText } from '../../schemas.ts'

/**
 * Returns credentials for the TURN servers, or an empty object where none are configured.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3voipturnserver
 */
export const getTurnServer = endpoint({
  id: 'getTurnServer',
  method: 'GET',
  path: '/_matrix/client/v3/voip/turnServer',
  access: 'guest',
  reply: encodedObject(
    Type.Object({
      username: OptionalText,
      password: OptionalText,
      ttl: Type.Optional(Type.Integer()),
      uris: Type.Optional(Type.Array(Type.String())),
    }),
  ),

  handle: async ({ requester }, rt) => turnServerFor(rt, requester),
})
