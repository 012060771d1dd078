// SPDX-License-Identifier: Apache-2.0
import { checkProfileReader, loadProfileField } from '@myelin/services/accounts/profile'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'
import { FIELD_PATHS, FieldParams } from './field-params.ts'

/**
 * Returns one field of a user's profile, under its own name.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuseridkeyname
 */
export const getProfileField = endpoint({
  id: 'getProfileField',
  method: 'GET',
  path: FIELD_PATHS,
  access: 'optional',
  params: FieldParams,
  reply: ObjectSchema,

  async handle({ params: { userId, keyName }, requester, address }, rt) {
    rt.limits.takeFor('profiles', requester, address)
    await checkProfileReader(rt, requester, userId)
    return loadProfileField(rt, userId, keyName)
  },
})
