// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import { aliasesOf } from '@myelin/storage/rooms/aliases'
import { publishRoom, roomById } from '@myelin/storage/rooms/rooms'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { isAllowedBy } from '../room-state/directory-rules.ts'
import { mayCreateAlias } from './may-create-alias.ts'

/** The visibility of a room in the directory. */
export type DirectoryVisibility = 'public' | 'private'

/**
 * Returns the visibility of a room in the directory; throws `M_NOT_FOUND` for an unknown room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directorylistroomroomid
 */
export async function directoryVisibility(rt: Pick<Runtime, 'db'>, roomId: RoomId): Promise<DirectoryVisibility> {
  const room = await roomById(rt.db.read, roomId)
  if (!room) throw new MatrixError('M_NOT_FOUND', 'no such room')
  return room.isPublished ? 'public' : 'private'
}

/**
 * Lists a room in the directory or removes it, for users who may manage its listing.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directorylistroomroomid
 */
export async function setDirectoryVisibility(
  rt: Pick<Runtime, 'db' | 'config'>,
  requester: Requester,
  roomId: RoomId,
  visibility: DirectoryVisibility,
): Promise<void> {
  await rt.db.write(async (tx) => {
    if (!(await roomById(tx, roomId))) throw new MatrixError('M_NOT_FOUND', 'no such room')
    if (!(await mayCreateAlias(tx, requester, roomId))) {
      throw new MatrixError('M_FORBIDDEN', 'you do not have permission to change the visibility of this room')
    }
    const action = { userId: requester.userId, roomId, aliases: await aliasesOf(tx, roomId) }
    if (visibility === 'public' && !isAllowedBy(rt.config.rooms.publicationRules, action))
      throw new MatrixError('M_FORBIDDEN', 'you are not allowed to publish this room')
    await publishRoom(tx, roomId, visibility === 'public')
  })
}
