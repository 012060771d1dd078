// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomId } from '@myelin/matrix/ids'
import { findRoom } from './aliases.ts'
import type { FoundRoom } from './aliases.ts'

/** Returns the room of an ID or alias, with resident servers for an alias; throws `M_NOT_FOUND`. See {@link findRoom} for the payer. */
export async function resolveRoom(
  rt: Parameters<typeof findRoom>[0],
  payer: string,
  idOrAlias: string,
): Promise<FoundRoom> {
  if (isRoomId(idOrAlias)) return { roomId: idOrAlias, servers: [] }
  if (!idOrAlias.startsWith('#')) throw new MatrixError('M_INVALID_PARAM', 'neither a room ID nor a room alias')
  return findRoom(rt, payer, idOrAlias)
}
