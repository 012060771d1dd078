// SPDX-License-Identifier: Apache-2.0
import { isSanctioned } from '@myelin/services/accounts/moderate-account'
import { endpoint } from '../../endpoint.ts'
import { AccountParams, LOCK, LockSchema } from './account-params.ts'

/**
 * Returns whether an account is locked.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1adminlockuserid
 */
export const getAdminLockUser = endpoint({
  id: 'getAdminLockUser',
  method: 'GET',
  path: LOCK,
  access: 'admin',
  params: AccountParams,
  reply: LockSchema,

  handle: async ({ params: { userId } }, rt) => ({ locked: await isSanctioned(rt, 'locked', userId) }),
})
