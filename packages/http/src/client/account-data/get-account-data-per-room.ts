// SPDX-License-Identifier: Apache-2.0
import { readAccountData } from '@myelin/services/account-data/account-data'
import { ownUser } from '@myelin/services/account-data/own-user'
import { endpoint } from '../../endpoint.ts'
import { ObjectSchema } from '../../reply-schemas.ts'
import { ROOM_ENTRY, RoomEntryParams } from './account-data-paths.ts'

/**
 * Returns an entry of the requester's account data for a room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3useruseridroomsroomidaccount_datatype
 */
export const getAccountDataPerRoom = endpoint({
  id: 'getAccountDataPerRoom',
  method: 'GET',
  path: ROOM_ENTRY,
  access: 'user',
  params: RoomEntryParams,
  reply: ObjectSchema,

  handle: async ({ params: { userId, roomId, type }, requester }, rt) =>
    readAccountData(rt, { userId: ownUser(requester, userId), roomId, type }),
})
