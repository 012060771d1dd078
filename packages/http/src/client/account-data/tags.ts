// SPDX-License-Identifier: Apache-2.0
import { ownUser } from '@myelin/services/account-data/own-user'
import { readTags, removeTag, setTag } from '@myelin/services/account-data/tags'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { JsonObjectSchema } from '../../schemas.ts'

const TAG = '/_matrix/client/v3/user/:userId/rooms/:roomId/tags/:tag'
const TagParams = Type.Object({ userId: Type.String(), roomId: Type.String(), tag: Type.String() })

/** @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridroomsroomidtags */
export const getRoomTags = endpoint({
  id: 'getRoomTags',
  method: 'GET',
  path: '/_matrix/client/v3/user/:userId/rooms/:roomId/tags',
  access: 'user',
  params: Type.Object({ userId: Type.String(), roomId: Type.String() }),
  async handle({ params: { userId, roomId }, requester }, rt) {
    return readTags(rt, { userId: ownUser(requester, userId), roomId })
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridroomsroomidtagstag */
export const setRoomTag = endpoint({
  id: 'setRoomTag',
  method: 'PUT',
  path: TAG,
  access: 'user',
  maxBodyBytes: 65_536,
  params: TagParams,
  body: JsonObjectSchema,
  async handle({ params: { userId, roomId, tag }, body, requester }, rt) {
    await setTag(rt, { userId: ownUser(requester, userId), roomId, tag }, body)
    return {}
  },
})

/** @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3useruseridroomsroomidtagstag */
export const deleteRoomTag = endpoint({
  id: 'deleteRoomTag',
  method: 'DELETE',
  path: TAG,
  access: 'user',
  params: TagParams,
  async handle({ params: { userId, roomId, tag }, requester }, rt) {
    await removeTag(rt, { userId: ownUser(requester, userId), roomId, tag })
    return {}
  },
})
