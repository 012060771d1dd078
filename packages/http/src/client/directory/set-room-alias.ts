// SPDX-License-Identifier: Apache-2.0
import { createAlias } from '@myelin/services/directory/aliases'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { RoomIdSchema } from '../../schemas.ts'
import { ALIAS, AliasParams } from './alias-params.ts'

/**
 * Creates an alias of a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directoryroomroomalias
 */
export const setRoomAlias = endpoint({
  id: 'setRoomAlias',
  method: 'PUT',
  path: ALIAS,
  access: 'user',
  params: AliasParams,
  body: Type.Object({ room_id: RoomIdSchema }),
  reply: EmptySchema,

  async handle({ params: { roomAlias }, body, requester }, rt) {
    await createAlias(rt, requester, roomAlias, body.room_id)
    return {}
  },
})
