// SPDX-License-Identifier: Apache-2.0
import { sanction } from '@myelin/services/accounts/moderate-account'
import { endpoint } from '../../endpoint.ts'
import { AccountParams, LOCK, LockSchema } from './account-params.ts'

/**
 * Locks or unlocks an account.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminlockuserid
 */
export const setAdminLockUser = endpoint({
  id: 'setAdminLockUser',
  method: 'PUT',
  path: LOCK,
  access: 'admin',
  params: AccountParams,
  body: LockSchema,
  reply: LockSchema,

  async handle({ params: { userId }, body: { locked }, requester }, rt) {
    await sanction(rt, requester, { sanction: 'locked', userId, isOn: locked })
    return { locked }
  },
})
