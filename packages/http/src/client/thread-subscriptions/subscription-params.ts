// SPDX-License-Identifier: Apache-2.0
import { Type } from 'typebox'
import { EventIdSchema, RoomIdSchema } from '../../schemas.ts'

/** The path of a user's subscription to a thread. */
export const SUBSCRIPTION =
  '/_matrix/client/unstable/io.element.msc4306/rooms/:roomId/thread/:threadRootId/subscription'

/** The parameters of {@link SUBSCRIPTION}. */
export const SubscriptionParams = Type.Object({ roomId: RoomIdSchema, threadRootId: EventIdSchema })
