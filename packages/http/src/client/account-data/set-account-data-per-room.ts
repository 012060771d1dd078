// SPDX-License-Identifier: Apache-2.0
import { setAccountData } from '@myelin/services/account-data/account-data'
import { ownUser } from '@myelin/services/account-data/own-user'
import { MAX_BODY_BYTES } from '../../body-sizes.ts'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { JsonObjectSchema } from '../../schemas.ts'
import { ROOM_ENTRY, RoomEntryParams } from './account-data-paths.ts'

/**
 * Stores an entry of the requester's account data for a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3useruseridroomsroomidaccount_datatype
 */
export const setAccountDataPerRoom = endpoint({
  id: 'setAccountDataPerRoom',
  method: 'PUT',
  path: ROOM_ENTRY,
  access: 'user',
  maxBodyBytes: MAX_BODY_BYTES.content,
  params: RoomEntryParams,
  body: JsonObjectSchema,
  reply: EmptySchema,

  async handle({ params: { userId, roomId, type }, body, requester }, rt) {
    await setAccountData(rt, { userId: ownUser(requester, userId), roomId, type }, body)
    return {}
  },
})
