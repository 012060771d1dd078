// SPDX-License-Identifier: Apache-2.0
import { loadProfile, loadProfileField } from '@myelin/services/accounts/profile'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { UserIdSchema } from '../../schemas.ts'
import { fieldPaths } from './field-paths.ts'

/**
 * Everything a user tells about themselves.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuserid
 */
export const getUserProfile = endpoint({
  id: 'getUserProfile',
  method: 'GET',
  path: '/_matrix/client/v3/profile/:userId',
  access: 'none',
  params: Type.Object({ userId: UserIdSchema }),
  handle: async ({ params }, rt) => loadProfile(rt, params.userId),
})

/**
 * One field of a user's profile.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuseridkeyname
 */
export const getProfileField = endpoint({
  id: 'getProfileField',
  method: 'GET',
  path: fieldPaths,
  access: 'none',
  params: Type.Object({ userId: UserIdSchema, keyName: Type.String() }),
  handle: async ({ params: { userId, keyName } }, rt) => ({ [keyName]: await loadProfileField(rt, userId, keyName) }),
})
