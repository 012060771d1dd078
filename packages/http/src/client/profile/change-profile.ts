// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { member } from '@myelin/matrix/json'
import { changeProfile } from '@myelin/services/accounts/change-profile'
import type { ProfileChange } from '@myelin/services/accounts/change-profile'
import { announceProfile } from '@myelin/services/rooms/membership'
import type { Requester, Runtime } from '@myelin/services/runtime/runtime'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema, UserIdSchema } from '../../schemas.ts'
import { fieldPaths } from './field-paths.ts'

const params = Type.Object({ userId: UserIdSchema, keyName: Type.String() })

/**
 * Sets a field of a profile.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3profileuseridkeyname
 */
export const setProfileField = endpoint({
  id: 'setProfileField',
  method: 'PUT',
  path: fieldPaths,
  access: 'user',
  params,
  body: JsonObjectSchema,
  bodyIsCanonical: true,

  async handle({ params: { userId, keyName }, body, requester }, rt) {
    const value = member(body, keyName)
    if (value === undefined) throw new MatrixError('M_MISSING_PARAM', `the body has no ${keyName}`)
    return change(rt, requester, { userId, key: keyName, value })
  },
})

/**
 * Takes a field out of a profile.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3profileuseridkeyname
 */
export const deleteProfileField = endpoint({
  id: 'deleteProfileField',
  method: 'DELETE',
  path: fieldPaths,
  access: 'user',
  params,

  async handle({ params: { userId, keyName }, requester }, rt) {
    return change(rt, requester, { userId, key: keyName, value: undefined })
  },
})

async function change(rt: Runtime, requester: Requester, wish: ProfileChange): Promise<object> {
  if (await changeProfile(rt, requester, wish)) await announceProfile(rt, wish.userId)
  return {}
}
