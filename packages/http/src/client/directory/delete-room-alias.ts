// SPDX-License-Identifier: Apache-2.0
import { deleteAlias } from '@myelin/services/directory/aliases'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { ALIAS, AliasParams } from './alias-params.ts'

/**
 * Deletes an alias.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#delete_matrixclientv3directoryroomroomalias
 */
export const deleteRoomAlias = endpoint({
  id: 'deleteRoomAlias',
  method: 'DELETE',
  path: ALIAS,
  access: 'user',
  params: AliasParams,
  reply: EmptySchema,

  async handle({ params: { roomAlias }, requester }, rt) {
    await deleteAlias(rt, requester, roomAlias)
    return {}
  },
})
