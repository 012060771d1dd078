// SPDX-License-Identifier: Apache-2.0
import type { AutoJoinSettings } from '@myelin/kit/settings/rooms'
import { isRoomAlias, isRoomId, isValidLocalpart } from '@myelin/matrix/ids'
import { Type } from 'typebox'
import { oneOf, section } from '../values/section.ts'

/** Settings for the rooms that new users join. */
export const autoJoin = section({
  title: 'Rooms of new users',
  fields: {
    auto_join_rooms: Type.Array(Type.String(), {
      description: `The aliases or IDs of rooms that a new user joins. The joins count for rc_joins. A room that cannot be joined is logged and
left out.`,
      default: [],
      examples: [['#welcome:example.org']],
    }),
    autocreate_auto_join_rooms: Type.Boolean({
      description: `Whether the first user of the server makes those rooms of this server that do not exist.`,
      default: true,
    }),
    autocreate_auto_join_rooms_federated: Type.Boolean({
      description: `Whether users of other servers may join rooms that are made so.`,
      default: true,
    }),
    autocreate_auto_join_room_preset: oneOf(['public_chat', 'private_chat', 'trusted_private_chat'], {
      description: `The preset of rooms that are made so. One that needs invites also needs the next setting.`,
      default: 'public_chat',
    }),
    auto_join_mxid_localpart: Type.Optional(
      Type.String({
        description: `The localpart of the user who makes the rooms, and who invites to those that need it. The account is made where it does
not exist. By default it is the first user.`,
        minLength: 1,
        examples: ['system'],
      }),
    ),
    auto_join_rooms_for_guests: Type.Boolean({ description: `Whether guests join the rooms as well.`, default: true }),
  },
  read(values, reading): AutoJoinSettings {
    const { auto_join_mxid_localpart: localpart, autocreate_auto_join_room_preset: preset } = values
    const wrong = values.auto_join_rooms.find((room) => !isRoomAlias(room) && !isRoomId(room))
    if (wrong !== undefined)
      reading.fault('auto_join_rooms', `has an entry that is neither an alias nor a room ID: ${wrong}`)
    if (localpart !== undefined && !isValidLocalpart(localpart))
      reading.fault('auto_join_mxid_localpart', 'must be a localpart of a user ID')
    if (preset !== 'public_chat' && localpart === undefined && values.auto_join_rooms.length > 0)
      reading.fault(
        'autocreate_auto_join_room_preset',
        'needs auto_join_mxid_localpart: rooms of this preset need invites',
      )
    return {
      rooms: values.auto_join_rooms,
      createsRooms: values.autocreate_auto_join_rooms,
      areFederated: values.autocreate_auto_join_rooms_federated,
      preset,
      localpart,
      isForGuests: values.auto_join_rooms_for_guests,
    }
  },
})
