// SPDX-License-Identifier: Apache-2.0
import { ownUser } from '@myelin/services/account-data/own-user'
import { removeTag } from '@myelin/services/account-data/tags'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { TAG, TagParams } from './account-data-paths.ts'

/**
 * Removes a tag of the requester from a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3useruseridroomsroomidtagstag
 */
export const deleteRoomTag = endpoint({
  id: 'deleteRoomTag',
  method: 'DELETE',
  path: TAG,
  access: 'user',
  params: TagParams,
  reply: EmptySchema,

  async handle({ params: { userId, roomId, tag }, requester }, rt) {
    await removeTag(rt, { userId: ownUser(requester, userId), roomId, tag })
    return {}
  },
})
