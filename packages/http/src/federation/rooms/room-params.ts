// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { EventIdSchema, RoomIdSchema } from '../../schemas.ts'
import { PduSchema } from '../../reply-schemas.ts'

/** The parameters of a path with a room. */
export const RoomParams = Type.Object({ roomId: RoomIdSchema })
/** The event at which to return the state of a room. */
export const AtEventQuery = Type.Object({ event_id: EventIdSchema })
/** Event ids. */
export const EventIds = Type.Array(EventIdSchema)
/** Events in the envelope of a transaction. */
export const PdusReply = Type.Object({
  origin: Type.String(),
  origin_server_ts: Type.Integer(),
  pdus: Type.Array(PduSchema),
})
