// SPDX-License-Identifier: Apache-2.0
import { isSanctioned, sanction } from '@myelin/services/accounts/moderate-account'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { UserIdSchema } from '../../schemas.ts'

const lockPath = '/_matrix/client/v1/admin/lock/:userId'
const suspendPath = '/_matrix/client/v1/admin/suspend/:userId'
const params = Type.Object({ userId: UserIdSchema })

/**
 * Whether an account is locked.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1adminlockuserid
 */
export const getAdminLockUser = endpoint({
  id: 'getAdminLockUser',
  method: 'GET',
  path: lockPath,
  access: 'admin',
  params,
  handle: async ({ params: { userId } }, rt) => ({ locked: await isSanctioned(rt, 'locked', userId) }),
})

/**
 * Locks an account, or unlocks it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminlockuserid
 */
export const setAdminLockUser = endpoint({
  id: 'setAdminLockUser',
  method: 'PUT',
  path: lockPath,
  access: 'admin',
  params,
  body: Type.Object({ locked: Type.Boolean() }),

  async handle({ params: { userId }, body: { locked }, requester }, rt) {
    await sanction(rt, requester, { sanction: 'locked', userId, isOn: locked })
    return { locked }
  },
})

/**
 * Whether an account is suspended.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1adminsuspenduserid
 */
export const getAdminSuspendUser = endpoint({
  id: 'getAdminSuspendUser',
  method: 'GET',
  path: suspendPath,
  access: 'admin',
  params,
  handle: async ({ params: { userId } }, rt) => ({ suspended: await isSanctioned(rt, 'suspended', userId) }),
})

/**
 * Suspends an account, or lets it act again.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv1adminsuspenduserid
 */
export const setAdminSuspendUser = endpoint({
  id: 'setAdminSuspendUser',
  method: 'PUT',
  path: suspendPath,
  access: 'admin',
  params,
  body: Type.Object({ suspended: Type.Boolean() }),

  async handle({ params: { userId }, body: { suspended }, requester }, rt) {
    await sanction(rt, requester, { sanction: 'suspended', userId, isOn: suspended })
    return { suspended }
  },
})
