// SPDX-License-Identifier: Apache-2.0
import { loginTypes } from '@myelin/services/accounts/log-in'
import { endpoint } from '../../endpoint.ts'

/**
 * The ways to log in.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3login
 */
export const getLoginFlows = endpoint({
  id: 'getLoginFlows',
  method: 'GET',
  path: '/_matrix/client/v3/login',
  access: 'none',
  handle: async (_, rt) => ({ flows: loginTypes(rt).map((type) => ({ type })) }),
})
