// SPDX-License-Identifier: Apache-2.0
import { upgradeRoom as upgrade } from '@myelin/services/rooms/upgrade/upgrade-room'
import { Type } from 'typebox'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { RoomIdSchema, UserIdSchema } from '../../schemas.ts'

/**
 * Replaces a room by one of another version, and returns its id.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidupgrade
 */
export const upgradeRoom = endpoint({
  id: 'upgradeRoom',
  method: 'POST',
  path: '/_matrix/client/v3/rooms/:roomId/upgrade',
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  params: Type.Object({ roomId: RoomIdSchema }),
  body: Type.Object({
    new_version: Type.String(),
    additional_creators: optionalOrNull(Type.Array(UserIdSchema, { maxItems: 1000 })),
  }),
  reply: Type.Object({ replacement_room: Type.String() }),

  async handle({ params: { roomId }, body, requester }, rt) {
    const request = { roomId, sender: requester.userId, newVersion: body.new_version }
    return { replacement_room: await upgrade(rt, request, body.additional_creators ?? []) }
  },
})
