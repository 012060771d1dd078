// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { RoomIdSchema } from '../../schemas.ts'

/**
 * The path of a handshake's event. The room is checked against the event; its id is not, since it follows from the event
 * itself, and there are servers that write anything there.
 */
export const eventInRoom = Type.Object({ roomId: RoomIdSchema, eventId: Type.String({ maxLength: 255 }) })
