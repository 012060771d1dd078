// SPDX-License-Identifier: Apache-2.0
import { checkProfileReader, loadProfile } from '@myelin/services/accounts/profile'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { openObject } from '../../reply-schemas.ts'
import { UserIdSchema } from '../../schemas.ts'

/**
 * Returns the profile of a user, of this server or another.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3profileuserid
 */
export const getUserProfile = endpoint({
  id: 'getUserProfile',
  method: 'GET',
  path: '/_matrix/client/v3/profile/:userId',
  access: 'optional',
  params: Type.Object({ userId: UserIdSchema }),
  reply: openObject({ displayname: Type.Optional(Type.Unknown()), avatar_url: Type.Optional(Type.Unknown()) }),

  async handle({ params, requester, address }, rt) {
    rt.limits.takeFor('profiles', requester, address)
    await checkProfileReader(rt, requester, params.userId)
    return loadProfile(rt, params.userId)
  },
})
