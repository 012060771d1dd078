// SPDX-License-Identifier: Apache-2.0
import { ownUser } from '@myelin/services/account-data/own-user'
import { readTags } from '@myelin/services/account-data/tags'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { encodedObject, ObjectSchema, recordOf } from '../../reply-schemas.ts'

/**
 * Returns the requester's tags of a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridroomsroomidtags
 */
export const getRoomTags = endpoint({
  id: 'getRoomTags',
  method: 'GET',
  path: '/_matrix/client/v3/user/:userId/rooms/:roomId/tags',
  access: 'user',
  params: Type.Object({ userId: Type.String(), roomId: Type.String() }),
  reply: Type.Object({ tags: encodedObject(recordOf(ObjectSchema)) }),

  handle: async ({ params: { userId, roomId }, requester }, rt) =>
    readTags(rt, { userId: ownUser(requester, userId), roomId }),
})
