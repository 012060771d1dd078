// SPDX-License-Identifier: Apache-2.0
import { report } from '@myelin/services/moderation/report'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { UserIdSchema } from '../../schemas.ts'

/**
 * Reports a user to the server admins.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3usersuseridreport
 */
export const reportUser = endpoint({
  id: 'reportUser',
  method: 'POST',
  path: '/_matrix/client/v3/users/:userId/report',
  access: 'user',
  params: Type.Object({ userId: UserIdSchema }),
  body: Type.Object({ reason: Type.String() }),
  reply: EmptySchema,

  async handle({ params, body, requester }, rt) {
    await report(rt, requester, params, body.reason)
    return {}
  },
})
