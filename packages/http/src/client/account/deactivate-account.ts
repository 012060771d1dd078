// SPDX-License-Identifier: Apache-2.0
import { deactivateAccount as deactivateOwnAccount } from '@myelin/services/accounts/deactivate-account'
import { leaveEveryRoom } from '@myelin/services/rooms/membership'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { optionalOrNull } from '../../optional-or-null.ts'
import { JsonObjectSchema, oneOf } from '../../schemas.ts'

/**
 * Deactivates the requester's account.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate
 */
export const deactivateAccount = endpoint({
  id: 'deactivateAccount',
  method: 'POST',
  path: '/_matrix/client/v3/account/deactivate',
  access: 'user',
  body: Type.Object({ auth: optionalOrNull(JsonObjectSchema), erase: Type.Optional(Type.Boolean()) }),
  reply: Type.Object({ id_server_unbind_result: oneOf(['success', 'no-support']) }),

  async handle({ body: { auth, erase }, requester }, rt) {
    await deactivateOwnAccount(rt, requester, { auth, erase, leaveRooms: (userId) => leaveEveryRoom(rt, userId) })
    // This server binds no third-party identifiers, so there are none to unbind.
    return { id_server_unbind_result: 'success' as const }
  },
})
