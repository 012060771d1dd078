// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { EventIdSchema, RoomIdSchema, UserIdSchema } from '../../schemas.ts'

/** The parameters of a path that asks for an event to sign. */
export const TemplateParams = Type.Object({ roomId: RoomIdSchema, userId: UserIdSchema })
/**
 * The parameters of a path with a signed membership event. The room is compared with the event. The event id is not, since it
 * follows from the event, and some servers send another value.
 */
export const SignedEventParams = Type.Object({ roomId: RoomIdSchema, eventId: Type.String({ maxLength: 255 }) })
/** The parameters of a path with an invite. */
export const InviteParams = Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema })
