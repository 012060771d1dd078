// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { OptionalText, RoomIdSchema } from '../../schemas.ts'

/** The paths of a state event; without a state key it is the empty one. */
export const STATE_EVENT = [
  '/_matrix/client/v3/rooms/:roomId/state/:eventType/:stateKey',
  '/_matrix/client/v3/rooms/:roomId/state/:eventType',
  '/_matrix/client/v3/rooms/:roomId/state/:eventType/',
] as const
/** The parameters of {@link STATE_EVENT}. */
export const StateEventParams = Type.Object({ roomId: RoomIdSchema, eventType: Type.String(), stateKey: OptionalText })
