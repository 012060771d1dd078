// SPDX-License-Identifier: Apache-2.0
import { pushersOfUser } from '@myelin/services/moderation/user-records'
import { Type } from 'typebox'
import { endpoint } from '../../../endpoint.ts'
import { pusherMembers } from '../../../pusher-members.ts'
import { UserParams } from './user-replies.ts'

/**
 * Returns the pushers of a user.
 *
 * @see https://element-hq.github.io/synapse/latest/admin_api/user_admin_api.html#list-all-pushers
 */
export const synapseGetUserPushers = endpoint({
  id: 'synapseGetUserPushers',
  method: 'GET',
  path: '/_synapse/admin/v1/users/:userId/pushers',
  access: 'admin',
  params: UserParams,
  reply: Type.Object({
    pushers: Type.Array(
      Type.Object({
        ...pusherMembers,
        enabled: Type.Boolean(),
        device_id: Type.String(),
      }),
    ),
    total: Type.Integer(),
  }),

  async handle({ params: { userId } }, rt) {
    const pushers = (await pushersOfUser(rt, userId)).map((pusher) => ({
      app_display_name: pusher.appDisplayName,
      app_id: pusher.appId,
      data: JSON.parse(pusher.data) as object,
      device_display_name: pusher.deviceDisplayName,
      kind: pusher.kind,
      lang: pusher.lang,
      profile_tag: pusher.profileTag,
      pushkey: pusher.pushkey,
      enabled: pusher.isEnabled,
      device_id: pusher.deviceId,
    }))
    return { pushers, total: pushers.length }
  },
})
