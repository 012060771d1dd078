// SPDX-License-Identifier: Apache-2.0
import { logOutEverywhere } from '@myelin/services/accounts/log-out'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'

/**
 * Ends all sessions of the requester.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3logoutall
 */
export const logoutAll = endpoint({
  id: 'logout_all',
  method: 'POST',
  path: '/_matrix/client/v3/logout/all',
  access: 'locked',
  reply: EmptySchema,

  async handle({ requester }, rt) {
    await logOutEverywhere(rt, requester)
    return {}
  },
})
