// SPDX-License-Identifier: Apache-2.0
import { ownUser } from '@myelin/services/account-data/own-user'
import { setTag } from '@myelin/services/account-data/tags'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { TAG, TagParams } from './account-data-paths.ts'

/**
 * Adds a tag to a room for the requester.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridroomsroomidtagstag
 */
export const setRoomTag = endpoint({
  id: 'setRoomTag',
  method: 'PUT',
  path: TAG,
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.document,
  params: TagParams,
  body: JsonObjectSchema,
  reply: EmptySchema,

  async handle({ params: { userId, roomId, tag }, body, requester }, rt) {
    await setTag(rt, { userId: ownUser(requester, userId), roomId, tag }, body)
    return {}
  },
})
