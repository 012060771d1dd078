// SPDX-License-Identifier: Apache-2.0
import { membershipsOfUser } from '@myelin/services/moderation/user-records'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { recordOf } from '../../../reply-schemas.ts'
import { UserParams } from './user-replies.ts'

/**
 * Returns the membership of a user in each room.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#list-joined-rooms-of-a-user
 */
export const synapseGetMemberships = endpoint({
  id: 'synapseGetMemberships',
  method: 'GET',
  path: '/_synapse/admin/v1/users/:userId/memberships',
  access: 'admin',
  params: UserParams,
  reply: Type.Object({ memberships: recordOf(Type.String()) }),

  async handle({ params: { userId } }, rt) {
    return { memberships: Object.fromEntries(await membershipsOfUser(rt, userId)) }
  },
})
