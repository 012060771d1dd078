// SPDX-License-Identifier: Apache-2.0
import { isSanctioned } from '@myelin/services/accounts/moderate-account'
import { endpoint } from '../../endpoint.ts'
import { AccountParams, SUSPENSION, SuspensionSchema } from './account-params.ts'

/**
 * Returns whether an account is suspended.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1adminsuspenduserid
 */
export const getAdminSuspendUser = endpoint({
  id: 'getAdminSuspendUser',
  method: 'GET',
  path: SUSPENSION,
  access: 'admin',
  params: AccountParams,
  reply: SuspensionSchema,

  handle: async ({ params: { userId } }, rt) => ({ suspended: await isSanctioned(rt, 'suspended', userId) }),
})
