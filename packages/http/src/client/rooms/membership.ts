// SPDX-License-Identifier: Apache-2.0
import { forget, inviteUser, joinRoom, knockAt, leaveRoom, moderateMember } from '@myelin/services/rooms/membership'
import { resolveRoom } from '@myelin/services/directory/resolve-room'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { RoomIdSchema, UserIdSchema } from '../../schemas.ts'

const RoomParams = Type.Object({ roomId: RoomIdSchema })
const Reason = Type.Object({ reason: Type.Optional(Type.String()) })
const Target = Type.Object({ user_id: UserIdSchema, reason: Type.Optional(Type.String()) })
// `server_name` is what `via` was called before.
const Via = Type.Object({
  via: Type.Optional(Type.Array(Type.String())),
  server_name: Type.Optional(Type.Array(Type.String())),
})
const viaOf = ({ via = [], server_name: older = [] }: { via?: string[]; server_name?: string[] }) => [...via, ...older]
const wording = ({ reason }: { reason?: string }) => (reason === undefined ? {} : { reason })

/** By whatever name of the room, with the servers that name it. */
const entry = (id: string, word: 'join' | 'knock', enter: typeof joinRoom | typeof knockAt) =>
  endpoint({
    id,
    method: 'POST',
    path: `/_matrix/client/v3/${word}/:roomIdOrAlias`,
    access: 'user',
    bodyMayBeAbsent: true,
    params: Type.Object({ roomIdOrAlias: Type.String() }),
    query: Via,
    body: Reason,
    async handle({ params, query, body, requester }, rt) {
      const { roomId, servers } = await resolveRoom(rt, params.roomIdOrAlias)
      await enter(rt, requester.userId, roomId, { ...wording(body), via: [...viaOf(query), ...servers] })
      return { room_id: roomId }
    },
  })

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3joinroomidoralias */
export const joinRoomByIdOrAlias = entry('joinRoom', 'join', joinRoom)
/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3knockroomidoralias */
export const knockRoom = entry('knockRoom', 'knock', knockAt)

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidjoin */
export const joinRoomById = endpoint({
  id: 'joinRoomById',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/join',
  access: 'user',
  bodyMayBeAbsent: true,
  params: RoomParams,
  query: Via,
  body: Reason,
  async handle({ params, query, body, requester }, rt) {
    await joinRoom(rt, requester.userId, params.roomId, { ...wording(body), via: viaOf(query) })
    return { room_id: params.roomId }
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite */
export const inviteToRoom = endpoint({
  id: 'inviteUser',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/invite',
  access: 'user',
  params: RoomParams,
  body: Target,
  async handle({ params, body, requester }, rt) {
    await inviteUser(rt, { roomId: params.roomId, sender: requester.userId, target: body.user_id }, wording(body))
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidleave */
export const leave = endpoint({
  id: 'leaveRoom',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/leave',
  access: 'user',
  bodyMayBeAbsent: true,
  params: RoomParams,
  body: Reason,
  async handle({ params, body, requester }, rt) {
    await leaveRoom(rt, requester.userId, params.roomId, wording(body))
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidforget */
export const forgetRoom = endpoint({
  id: 'forgetRoom',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/forget',
  access: 'user',
  params: RoomParams,
  async handle({ params, requester }, rt) {
    await forget(rt, requester.userId, params.roomId)
    return {}
  },
})

const moderation = (kind: 'kick' | 'ban' | 'unban') =>
  endpoint({
    id: kind,
    method: 'POST',
    path: `/_matrix/client/v3/rooms/:roomId/${kind}`,
    access: 'user',
    params: RoomParams,
    body: Target,
    async handle({ params, body, requester }, rt) {
      const order = { kind, roomId: params.roomId, sender: requester.userId, target: body.user_id }
      await moderateMember(rt, order, wording(body))
      return {}
    },
  })

/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidkick */
export const kick = moderation('kick')
/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidban */
export const ban = moderation('ban')
/** @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidunban */
export const unban = moderation('unban')
