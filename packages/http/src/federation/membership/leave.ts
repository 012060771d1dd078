// SPDX-License-Identifier: Apache-2.0
import { makeMembership } from '@myelin/services/federation/membership/make-membership'
import { takeMembership } from '@myelin/services/federation/membership/take-membership'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema, RoomIdSchema, UserIdSchema } from '../../schemas.ts'
import { eventInRoom } from './event-in-room.ts'

/** @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1make_leaveroomiduserid */
export const makeLeave = endpoint({
  id: 'makeLeave',
  method: 'GET',
  path: '/_matrix/federation/v1/make_leave/:roomId/:userId',
  access: 'server',
  params: Type.Object({ roomId: RoomIdSchema, userId: UserIdSchema }),
  handle: ({ origin, params: { roomId, userId } }, rt) =>
    makeMembership(rt, { origin, roomId, userId, membership: 'leave' }),
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_leaveroomideventid */
export const sendLeaveV2 = endpoint({
  id: 'sendLeaveV2',
  method: 'PUT',
  path: '/_matrix/federation/v2/send_leave/:roomId/:eventId',
  access: 'server',
  params: eventInRoom,
  body: JsonObjectSchema,
  async handle({ origin, params: { roomId }, body: json }, rt) {
    await takeMembership(rt, { origin, roomId, membership: 'leave', json })
    return {}
  },
})

/** What older servers call where they should know version 2; the spec had it until v1.17. */
export const sendLeaveV1 = endpoint({
  id: 'sendLeaveV1',
  method: 'PUT',
  path: '/_matrix/federation/v1/send_leave/:roomId/:eventId',
  access: 'server',
  params: eventInRoom,
  body: JsonObjectSchema,
  async handle({ origin, params: { roomId }, body: json }, rt) {
    await takeMembership(rt, { origin, roomId, membership: 'leave', json })
    return [200, {}]
  },
})
