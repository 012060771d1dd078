// SPDX-License-Identifier: Apache-2.0
import { removeAccountData } from '@myelin/services/account-data/account-data'
import { ownUser } from '@myelin/services/account-data/own-user'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { DELETED_ROOM_ENTRY, RoomEntryParams } from './account-data-paths.ts'

/**
 * Deletes an entry of the requester's account data for a room.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3391
 */
export const deleteAccountDataPerRoom = endpoint({
  id: 'deleteAccountDataPerRoom',
  method: 'DELETE',
  path: DELETED_ROOM_ENTRY,
  access: 'user',
  params: RoomEntryParams,
  reply: EmptySchema,

  async handle({ params: { userId, roomId, type }, requester }, rt) {
    await removeAccountData(rt, { userId: ownUser(requester, userId), roomId, type })
    return {}
  },
})
