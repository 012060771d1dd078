// SPDX-License-Identifier: Apache-2.0
import { directoryVisibility } from '@myelin/services/directory/visibility'
import { Type } from 'typebox'
import { endpoint } from '../../endpoint.ts'
import { DIRECTORY_ENTRY, DirectoryEntryParams, VisibilitySchema } from './visibility-params.ts'

/**
 * Returns whether a room is listed in the directory.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directorylistroomroomid
 */
export const getRoomVisibilityOnDirectory = endpoint({
  id: 'getRoomVisibilityOnDirectory',
  method: 'GET',
  path: DIRECTORY_ENTRY,
  access: 'none',
  params: DirectoryEntryParams,
  reply: Type.Object({ visibility: VisibilitySchema }),

  handle: async ({ params: { roomId } }, rt) => ({ visibility: await directoryVisibility(rt, roomId) }),
})
