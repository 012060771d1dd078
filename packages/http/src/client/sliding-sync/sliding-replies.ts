// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import type { TProperties } from 'typebox'
import { encodedObject, openObject, recordOf, StrippedEventSchema } from '../../reply-schemas.ts'
import { DeviceListsReply } from '../sync/device-lists-reply.ts'

const Text = Type.String()
const Flag = Type.Optional(Type.Boolean())
const Count = Type.Optional(Type.Integer())
const Events = Type.Array(openObject({ type: Text }))
const Entries = Type.Array(openObject({ type: Text, content: openObject({}) }))

const Hero = Type.Object({ user_id: Text, displayname: Type.Optional(Text), avatar_url: Type.Optional(Text) })

const roomMembers = {
  initial: Flag,
  bump_stamp: Count,
  heroes: Type.Optional(Type.Array(Hero)),
  joined_count: Count,
  invited_count: Count,
  is_dm: Flag,
  timeline: Type.Optional(Events),
  limited: Flag,
  prev_batch: Type.Optional(Text),
  num_live: Count,
}

const ProfileUpdate = Type.Union([
  Type.Object({ updated: Type.Optional(openObject({})), removed: Type.Optional(Type.Array(Text)) }),
  Type.Null(),
])

const Extensions = openObject({
  to_device: Type.Optional(Type.Object({ next_batch: Text, events: Events })),
  e2ee: Type.Optional(
    Type.Object({
      device_lists: Type.Optional(DeviceListsReply),
      device_one_time_keys_count: recordOf(Type.Integer()),
      device_unused_fallback_key_types: Type.Array(Text),
    }),
  ),
  account_data: Type.Optional(Type.Object({ global: Entries, rooms: recordOf(Entries) })),
  receipts: Type.Optional(Type.Object({ rooms: recordOf(openObject({ type: Text, content: openObject({}) })) })),
  'org.matrix.msc4262.profiles': Type.Optional(Type.Object({ users: recordOf(ProfileUpdate) })),
  'io.element.msc4308.thread_subscriptions': Type.Optional(
    Type.Object({
      subscribed: Type.Optional(recordOf(openObject({}))),
      unsubscribed: Type.Optional(recordOf(openObject({}))),
      prev_batch: Type.Optional(Text),
    }),
  ),
  typing: Type.Optional(Type.Object({ rooms: recordOf(openObject({ type: Text, content: openObject({}) })) })),
})

function replyOf(list: TProperties, room: TProperties) {
  return encodedObject(
    Type.Object({
      pos: Text,
      lists: Type.Optional(recordOf(Type.Object(list))),
      rooms: recordOf(Type.Object({ ...roomMembers, ...room })),
      extensions: Extensions,
    }),
  )
}

/** The reply on the unstable path. */
export const SimplifiedSyncReply = replyOf(
  {
    count: Type.Integer(),
    ops: Type.Array(Type.Object({ op: Text, range: Type.Array(Type.Integer()), room_ids: Type.Array(Text) })),
  },
  {
    name: Type.Optional(Text),
    avatar: Type.Optional(Text),
    unstable_expanded_timeline: Flag,
    required_state: Type.Optional(Events),
    invite_state: Type.Optional(Type.Array(StrippedEventSchema)),
    notification_count: Type.Integer(),
    highlight_count: Type.Integer(),
  },
)

const TextOrNull = Type.Optional(Type.Unsafe<string | null>({ type: ['string', 'null'] }))

/** The reply of `/v4/sync`. */
export const SyncV4Reply = replyOf(
  { count: Type.Integer() },
  {
    membership: Type.Optional(Text),
    lists: Type.Optional(Type.Array(Text)),
    name: TextOrNull,
    avatar: TextOrNull,
    expanded_timeline: Flag,
    required_state: Type.Optional(Type.Array(openObject({ type: Text, state_key: Text }))),
    stripped_state: Type.Optional(Type.Array(StrippedEventSchema)),
  },
)
