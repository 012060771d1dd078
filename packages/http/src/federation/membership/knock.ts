// SPDX-License-Identifier: Apache-2.0
import { knockAnswer } from '@myelin/services/federation/membership/knock-answer'
import { makeMembership } from '@myelin/services/federation/membership/make-membership'
import { takeMembership } from '@myelin/services/federation/membership/take-membership'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema, RoomIdSchema, UserIdSchema } from '../../schemas.ts'
import { eventInRoom } from './event-in-room.ts'

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1make_knockroomiduserid */
export const makeKnock = endpoint({
  id: 'makeKnock',
  method: 'GET',
  path: '/_matrix/federation/v1/make_knock/:roomId/:userId',
  access: 'server',
  params: Type.Object({ roomId: RoomIdSchema, userId: UserIdSchema }),
  query: Type.Object({ ver: Type.Array(Type.String()) }),
  handle: ({ origin, params: { roomId, userId }, query: { ver: versions } }, rt) =>
    makeMembership(rt, { origin, roomId, userId, membership: 'knock', versions }),
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1send_knockroomideventid */
export const sendKnock = endpoint({
  id: 'sendKnock',
  method: 'PUT',
  path: '/_matrix/federation/v1/send_knock/:roomId/:eventId',
  access: 'server',
  params: eventInRoom,
  body: JsonObjectSchema,
  async handle({ origin, params: { roomId }, body: json }, rt) {
    const taken = await takeMembership(rt, { origin, roomId, membership: 'knock', json })
    return { knock_room_state: await knockAnswer(rt, taken) }
  },
})
