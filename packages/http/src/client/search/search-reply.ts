// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { ClientEventSchema, recordOf } from '../../reply-schemas.ts'
import { OptionalText } from '../../schemas.ts'

const Context = Type.Object({
  start: Type.String(),
  end: Type.String(),
  events_before: Type.Array(ClientEventSchema),
  events_after: Type.Array(ClientEventSchema),
  profile_info: Type.Optional(recordOf(Type.Object({ displayname: OptionalText, avatar_url: OptionalText }))),
})

const Group = Type.Object({ results: Type.Array(Type.String()), order: Type.Integer(), next_batch: OptionalText })

/** The events that a search found: the category `room_events` of a reply. */
export const FoundEventsSchema = Type.Object({
  count: Type.Integer(),
  highlights: Type.Array(Type.String()),
  results: Type.Array(Type.Object({ rank: Type.Number(), result: ClientEventSchema, context: Type.Optional(Context) })),
  state: Type.Optional(recordOf(Type.Array(ClientEventSchema))),
  groups: Type.Optional(recordOf(recordOf(Group))),
  next_batch: OptionalText,
})
