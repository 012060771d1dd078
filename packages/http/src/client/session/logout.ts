// SPDX-License-Identifier: Apache-2.0
import { logOut } from '@myelin/services/accounts/log-out'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'

/**
 * Ends the requesting session.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3logout
 */
export const logout = endpoint({
  id: 'logout',
  method: 'POST',
  path: '/_matrix/client/v3/logout',
  access: 'locked',
  reply: EmptySchema,

  async handle({ requester }, rt) {
    await logOut(rt, requester)
    return {}
  },
})
