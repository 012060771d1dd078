// SPDX-License-Identifier: Apache-2.0
import { setDirectoryVisibility } from '@myelin/services/directory/visibility'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { EmptySchema } from '../../reply-schemas.ts'
import { DIRECTORY_ENTRY, DirectoryEntryParams, VisibilitySchema } from './visibility-params.ts'

/**
 * Lists a room in the directory, or removes it from there.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directorylistroomroomid
 */
export const setRoomVisibilityOnDirectory = endpoint({
  id: 'setRoomVisibilityOnDirectory',
  method: 'PUT',
  path: DIRECTORY_ENTRY,
  access: 'user',
  bodyMayBeAbsent: true,
  params: DirectoryEntryParams,
  body: Type.Object({ visibility: Type.Optional(VisibilitySchema) }),
  reply: EmptySchema,

  async handle({ params: { roomId }, body: { visibility = 'public' }, requester }, rt) {
    await setDirectoryVisibility(rt, requester, roomId, visibility)
    return {}
  },
})
