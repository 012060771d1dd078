// SPDX-License-Identifier: Apache-2.0
import { loginTypes } from '@myelin/services/accounts/log-in'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'

/**
 * Returns the login types this server supports.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3login
 */
export const getLoginFlows = endpoint({
  id: 'getLoginFlows',
  method: 'GET',
  path: '/_matrix/client/v3/login',
  access: 'none',
  reply: Type.Object({ flows: Type.Array(Type.Object({ type: Type.String() })) }),

  handle: async (_, rt) => ({ flows: loginTypes(rt).map((type) => ({ type })) }),
})
