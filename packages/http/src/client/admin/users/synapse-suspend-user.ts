// SPDX-License-Identifier: Apache-2.0
import { suspendUser } from '@myelin/services/moderation/administer-account'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { recordOf } from '../../../reply-schemas.ts'
import { UserParams } from './user-replies.ts'

/**
 * Suspends a user, or ends the suspension.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#suspendunsuspend-account
 */
export const synapseSuspendUser = endpoint({
  id: 'synapseSuspendUser',
  method: 'PUT',
  path: '/_synapse/admin/v1/suspend/:userId',
  access: 'admin',
  params: UserParams,
  body: Type.Object({ suspend: Type.Boolean() }),
  reply: recordOf(Type.Boolean()),

  async handle({ params: { userId }, body: { suspend } }, rt) {
    await suspendUser(rt, userId, suspend)
    return { [`user_${userId}_suspended`]: suspend }
  },
})
