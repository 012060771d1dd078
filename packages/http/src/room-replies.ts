// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { openObject, StrippedEventSchema } from './reply-schemas.ts'
import { OptionalText } from './schemas.ts'

const entryMembers = {
  room_id: Type.String(),
  num_joined_members: Type.Integer(),
  world_readable: Type.Boolean(),
  guest_can_join: Type.Boolean(),
  join_rule: OptionalText,
  name: OptionalText,
  topic: OptionalText,
  canonical_alias: OptionalText,
  avatar_url: OptionalText,
  room_type: OptionalText,
}

/** A page of a room directory. */
export const PublicRoomsReply = Type.Object({
  chunk: Type.Array(Type.Object(entryMembers)),
  next_batch: OptionalText,
  prev_batch: OptionalText,
  total_room_count_estimate: Type.Optional(Type.Integer()),
})

/** The members of a room's summary. */
export const summaryMembers = {
  ...entryMembers,
  allowed_room_ids: Type.Optional(Type.Array(Type.String())),
  encryption: OptionalText,
  room_version: OptionalText,
}

/** The summary of a room in a space hierarchy, with the links to its children. */
export const HierarchyRoom = Type.Object({ ...summaryMembers, children_state: Type.Array(StrippedEventSchema) })

/** The room of an alias, and servers to join it through. */
export const RoomOfAliasReply = Type.Object({ room_id: Type.String(), servers: Type.Array(Type.String()) })

/** The event nearest to a point in time. */
export const TimedEventReply = Type.Object({ event_id: Type.String(), origin_server_ts: Type.Integer() })

/** The id of an event that was sent. */
export const EventIdReply = Type.Object({ event_id: Type.String() })

/** The ID of an event that was sent, or the delay ID of one that was scheduled. */
export const SentReply = Type.Object({ event_id: OptionalText, delay_id: OptionalText })

/** The id of a room that was created or entered. */
export const RoomIdReply = Type.Object({ room_id: Type.String() })

/** An event to sign, and the version of its room. */
export const MembershipTemplateReply = Type.Object({ room_version: Type.String(), event: openObject({}) })
