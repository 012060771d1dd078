// SPDX-License-Identifier: Apache-2.0
import { checkUsername } from '@myelin/services/accounts/register'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'

/**
 * Returns whether a username is valid and free.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3registeravailable
 */
export const checkUsernameAvailability = endpoint({
  id: 'checkUsernameAvailability',
  method: 'GET',
  path: '/_matrix/client/v3/register/available',
  access: 'none',
  query: Type.Object({ username: Type.String() }),
  reply: Type.Object({ available: Type.Boolean() }),

  async handle({ query, address }, rt) {
    await checkUsername(rt, query.username, address)
    return { available: true }
  },
})
