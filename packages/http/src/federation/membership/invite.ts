// SPDX-License-Identifier: Apache-2.0
import { objectMember, member } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import { takeInvite } from '@myelin/services/federation/membership/take-invite'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EventIdSchema, JsonObjectSchema, RoomIdSchema } from '../../schemas.ts'

const params = Type.Object({ roomId: RoomIdSchema, eventId: EventIdSchema })

/** @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid */
export const sendInviteV2 = endpoint({
  id: 'sendInviteV2',
  method: 'PUT',
  path: '/_matrix/federation/v2/invite/:roomId/:eventId',
  access: 'server',
  params,
  body: Type.Object({
    room_version: Type.String(),
    event: JsonObjectSchema,
    invite_room_state: Type.Optional(Type.Unknown()),
  }),
  async handle({ origin, params: { roomId, eventId }, body }, rt) {
    // What is parsed JSON is JSON all the way down.
    const roomState = body.invite_room_state as Json | undefined
    const json = body.event
    return { event: await takeInvite(rt, { origin, roomId, eventId, roomVersion: body.room_version, json, roomState }) }
  },
})

/** @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1inviteroomideventid */
export const sendInviteV1 = endpoint({
  id: 'sendInviteV1',
  method: 'PUT',
  path: '/_matrix/federation/v1/invite/:roomId/:eventId',
  access: 'server',
  params,
  body: JsonObjectSchema,
  async handle({ origin, params: { roomId, eventId }, body: json }, rt) {
    const roomState = member(objectMember(json, 'unsigned') ?? {}, 'invite_room_state')
    // Only the first versions of rooms are spoken of here, and those look alike.
    return [200, { event: await takeInvite(rt, { origin, roomId, eventId, roomVersion: '1', json, roomState }) }]
  },
})
