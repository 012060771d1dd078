// SPDX-License-Identifier: Apache-2.0
import { joinFirstRooms } from '@myelin/services/directory/auto-join'
import { userDetails } from '@myelin/services/moderation/list-users'
import { putUser } from '@myelin/services/moderation/put-user'
import { endpoint, Reply } from '../../../endpoint.ts'
import { UserBody, userChange } from './user-body.ts'
import { UserParams, UserReply, userReply } from './user-replies.ts'

/**
 * Creates a user of this server, with status 201, or changes one.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#create-or-modify-account
 */
export const synapsePutUser = endpoint({
  id: 'synapsePutUser',
  method: 'PUT',
  path: '/_synapse/admin/v2/users/:userId',
  access: 'admin',
  params: UserParams,
  body: UserBody,
  reply: UserReply,

  async handle({ params: { userId }, body, requester }, rt) {
    const { isNew } = await putUser(rt, requester, userId, userChange(body))
    if (isNew) await joinFirstRooms(rt, userId)
    return new Reply(isNew ? 201 : 200, userReply(await userDetails(rt, userId)))
  },
})
