// SPDX-License-Identifier: Apache-2.0
import { removeAccountData } from '@myelin/services/account-data/account-data'
import { ownUser } from '@myelin/services/account-data/own-user'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { DELETED_GLOBAL_ENTRY, GlobalEntryParams } from './account-data-paths.ts'

/**
 * Deletes an entry of the requester's global account data.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3391
 */
export const deleteAccountData = endpoint({
  id: 'deleteAccountData',
  method: 'DELETE',
  path: DELETED_GLOBAL_ENTRY,
  access: 'user',
  params: GlobalEntryParams,
  reply: EmptySchema,

  async handle({ params: { userId, type }, requester }, rt) {
    await removeAccountData(rt, { userId: ownUser(requester, userId), roomId: undefined, type })
    return {}
  },
})
