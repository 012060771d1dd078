// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomId } from '@myelin/matrix/ids'
import { findRoom } from './aliases.ts'
import type { FoundRoom } from './aliases.ts'

/** The room an id or an alias names, here or on another server, and servers an alias leads through; throws `M_NOT_FOUND`. */
export async function resolveRoom(rt: Parameters<typeof findRoom>[0], idOrAlias: string): Promise<FoundRoom> {
  if (isRoomId(idOrAlias)) return { roomId: idOrAlias, servers: [] }
  if (!idOrAlias.startsWith('#')) throw new MatrixError('M_INVALID_PARAM', 'neither a room id nor an alias')
  return findRoom(rt, idOrAlias)
}
