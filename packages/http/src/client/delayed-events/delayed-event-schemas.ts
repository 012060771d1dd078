// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { JsonObjectSchema } from '../../schemas.ts'

/** The path of delayed events. */
export const DELAYED_EVENTS = '/_matrix/client/unstable/org.matrix.msc4140/delayed_events'

/** The parameters of a path to one delayed event. */
export const DelayedEventParams = Type.Object({ delayId: Type.String() })

/** The members of a delayed event. */
export const DELAYED_EVENT_MEMBERS = {
  delay_id: Type.String(),
  room_id: Type.String(),
  type: Type.String(),
  state_key: Type.Optional(Type.String()),
  content: JsonObjectSchema,
  delay_ms: Type.Integer(),
  delayed_since_ts: Type.Integer(),
}
