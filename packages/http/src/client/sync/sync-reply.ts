// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { encodedObject, openObject, recordOf, StrippedEventSchema } from '../../reply-schemas.ts'
import { OptionalText } from '../../schemas.ts'
import { DeviceListsReply } from './device-lists-reply.ts'

const UnreadCounts = Type.Object({ notification_count: Type.Integer(), highlight_count: Type.Integer() })
// The filter of the client decides which members an event has.
const SyncEvents = Type.Object({ events: Type.Array(openObject({ type: OptionalText })) })
const OptionalEvents = Type.Optional(SyncEvents)

const roomEvents = {
  timeline: Type.Object({ events: Type.Array(openObject({})), limited: Type.Boolean(), prev_batch: Type.String() }),
  state: OptionalEvents,
  state_after: OptionalEvents,
  'org.matrix.msc4222.state_after': OptionalEvents,
  account_data: SyncEvents,
}
const JoinedRoom = Type.Object({
  ...roomEvents,
  msc4354_sticky: OptionalEvents,
  ephemeral: SyncEvents,
  summary: Type.Object({
    'm.heroes': Type.Optional(Type.Array(Type.String())),
    'm.joined_member_count': Type.Optional(Type.Integer()),
    'm.invited_member_count': Type.Optional(Type.Integer()),
  }),
  unread_notifications: UnreadCounts,
  unread_thread_notifications: Type.Optional(recordOf(UnreadCounts)),
})
const StrippedState = Type.Object({ events: Type.Array(StrippedEventSchema) })

const ProfileUpdates = Type.Union([openObject({}), Type.Null()])

/** The reply of `/sync`. */
export const SyncReply = encodedObject(
  Type.Object({
    next_batch: Type.String(),
    rooms: Type.Optional(
      Type.Object({
        join: recordOf(JoinedRoom),
        invite: recordOf(Type.Object({ invite_state: StrippedState })),
        knock: recordOf(Type.Object({ knock_state: StrippedState })),
        leave: recordOf(Type.Object(roomEvents)),
      }),
    ),
    account_data: OptionalEvents,
    presence: OptionalEvents,
    'org.matrix.msc4429.users': Type.Optional(recordOf(Type.Object({ profile_updates: ProfileUpdates }))),
    to_device: OptionalEvents,
    device_lists: Type.Optional(DeviceListsReply),
    device_one_time_keys_count: Type.Optional(recordOf(Type.Integer())),
    device_unused_fallback_key_types: Type.Optional(Type.Array(Type.String())),
  }),
)
