// SPDX-License-Identifier: Apache-2.0
import { sanction } from '@myelin/services/accounts/moderate-account'
import { endpoint } from '../../endpoint.ts'
import { AccountParams, SUSPENSION, SuspensionSchema } from './account-params.ts'

/**
 * Suspends an account or lifts its suspension.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminsuspenduserid
 */
export const setAdminSuspendUser = endpoint({
  id: 'setAdminSuspendUser',
  method: 'PUT',
  path: SUSPENSION,
  access: 'admin',
  params: AccountParams,
  body: SuspensionSchema,
  reply: SuspensionSchema,

  async handle({ params: { userId }, body: { suspended }, requester }, rt) {
    await sanction(rt, requester, { sanction: 'suspended', userId, isOn: suspended })
    return { suspended }
  },
})
