// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import { publishRoom, roomById } from '@myelin/storage/rooms/rooms'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { mayCreateAlias } from './may-create-alias.ts'

/** Whether the directory lists a room. */
export type DirectoryVisibility = 'public' | 'private'

/**
 * Whether the directory lists a room; `M_NOT_FOUND` for one we do not know.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3directorylistroomroomid
 */
export async function directoryVisibility(rt: Pick<Runtime, 'db'>, roomId: RoomId): Promise<DirectoryVisibility> {
  const room = await roomById(rt.db.read, roomId)
  if (!room) throw new MatrixError('M_NOT_FOUND', 'room not found')
  return room.isPublished ? 'public' : 'private'
}

/**
 * Lists a room in the directory, or no longer; for who has a say in how it is found.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3directorylistroomroomid
 */
export async function setDirectoryVisibility(
  rt: Pick<Runtime, 'db'>,
  requester: Requester,
  roomId: RoomId,
  visibility: DirectoryVisibility,
): Promise<void> {
  await rt.db.write(async (tx) => {
    if (!(await roomById(tx, roomId))) throw new MatrixError('M_NOT_FOUND', 'room not found')
    if (!(await mayCreateAlias(tx, requester, roomId))) {
      throw new MatrixError('M_FORBIDDEN', 'you may not change whether this room is listed')
    }
    await publishRoom(tx, roomId, visibility === 'public')
  })
}
