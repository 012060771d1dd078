// SPDX-License-Identifier: Apache-2.0
import type { ServerNoticeSettings } from '@myelin/kit/settings/rooms'
import { isValidLocalpart } from '@myelin/matrix/ids'
import { Type } from 'typebox'
import { group, section } from '../values/section.ts'

const text = (description: string) => Type.Optional(Type.String({ description, minLength: 1 }))

/** Settings of server notices. */
export const serverNotices = section({
  title: 'Server notices',
  fields: {
    server_notices: Type.Optional(
      group(
        {
          system_mxid_localpart: Type.String({
            description: `The localpart of the user who sends the notices. The account is made where it does not exist.`,
            minLength: 1,
          }),
          system_mxid_display_name: text(`The display name of that user.`),
          system_mxid_avatar_url: text(`The avatar of that user, an mxc:// URI.`),
          room_name: Type.String({ description: `The name of the rooms.`, default: 'Server Notices' }),
          room_avatar_url: text(`The avatar of the rooms, an mxc:// URI.`),
          room_topic: text(`The topic of the rooms.`),
          auto_join: Type.Boolean({ description: `Whether users join their room at once.`, default: false }),
        },
        {
          description: `Notices of admins to users, each in a room that the user cannot leave. Without this setting there are none.
They are sent with POST /_synapse/admin/v1/send_server_notice.`,
          examples: [{ system_mxid_localpart: 'notices' }],
        },
      ),
    ),
  },
  read({ server_notices: notices }, reading): ServerNoticeSettings | undefined {
    if (!notices) return undefined
    if (!isValidLocalpart(notices.system_mxid_localpart))
      reading.fault('server_notices.system_mxid_localpart', 'must be a localpart of a user ID')
    return {
      localpart: notices.system_mxid_localpart,
      displayName: notices.system_mxid_display_name,
      avatarUrl: notices.system_mxid_avatar_url,
      roomName: notices.room_name,
      roomAvatarUrl: notices.room_avatar_url,
      roomTopic: notices.room_topic,
      joinsUsers: notices.auto_join,
    }
  },
})
