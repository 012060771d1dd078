// SPDX-License-Identifier: Apache-2.0
import type { RoomAlias } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { refuseForeignAlias } from '@myelin/services/rooms/add-alias'
import { createRoom as create } from '@myelin/services/rooms/create-room'
import { checkedId, inviteToNew } from '@myelin/services/rooms/third-party-invite'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { RoomIdReply } from '../../room-replies.ts'
import { addressOf } from '../membership/invited-address.ts'
import { JsonObjectSchema, OptionalText, oneOf, UserIdSchema } from '../../schemas.ts'

const InitialEvent = Type.Object({ type: Type.String(), state_key: OptionalText, content: JsonObjectSchema })

const MAX_ADDRESSES = 20
const InvitedAddress = Type.Object({
  id_server: Type.String(),
  id_access_token: Type.String(),
  medium: Type.String(),
  address: Type.String(),
})

/**
 * Creates a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom
 */
export const createRoom = endpoint({
  id: 'createRoom',
  method: 'POST',
  path: '/_matrix/client/v3/createRoom',
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.content,
  bodyIsCanonical: true,
  bodyMayBeAbsent: true,
  body: Type.Object({
    visibility: optionalOrNull(oneOf(['public', 'private'])),
    room_alias_name: OptionalText,
    name: OptionalText,
    topic: OptionalText,
    invite: Type.Optional(Type.Array(UserIdSchema, { maxItems: 1000 })),
    invite_3pid: Type.Optional(Type.Array(InvitedAddress, { maxItems: MAX_ADDRESSES })),
    room_version: OptionalText,
    creation_content: Type.Optional(JsonObjectSchema),
    initial_state: Type.Optional(Type.Array(InitialEvent, { maxItems: 1000 })),
    preset: Type.Optional(oneOf(['private_chat', 'public_chat', 'trusted_private_chat'])),
    is_direct: optionalOrNull(Type.Boolean()),
    power_level_content_override: optionalOrNull(JsonObjectSchema),
  }),
  reply: RoomIdReply,

  async handle({ body, requester }, rt) {
    const addresses = (body.invite_3pid ?? []).map(addressOf)
    for (const { id } of addresses) checkedId(id)
    const { room_alias_name: name } = body
    if (name !== undefined) refuseForeignAlias(rt, requester, `#${name}:${rt.serverName}` as RoomAlias)
    const roomId = await create(rt, requester.userId, {
      ...optional('roomVersion', body.room_version),
      ...optional('preset', body.preset),
      ...optional('roomAliasName', body.room_alias_name),
      ...optional('name', body.name),
      ...optional('topic', body.topic),
      ...optional<'powerLevels', JsonObject>('powerLevels', body.power_level_content_override),
      visibility: body.visibility ?? 'private',
      invite: body.invite ?? [],
      isDirect: body.is_direct ?? false,
      creationContent: body.creation_content ?? {},
      initialState: (body.initial_state ?? []).map((event) => ({
        type: event.type,
        stateKey: event.state_key ?? '',
        content: event.content,
      })),
    })
    for (const each of addresses) await inviteToNew(rt, { roomId, sender: requester.userId, ...each })
    return { room_id: roomId }
  },
})

function optional<Name extends string, Value>(name: Name, value: Value | undefined): { [K in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [K in Name]: Value })
}
