// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import { findLocalRoom } from '../../directory/aliases.ts'
import { publicRooms } from '../../directory/public-rooms.ts'
import type { DirectoryPage, DirectoryQuery } from '../../room-state/directory-page.ts'
import type { Runtime } from '../../runtime/runtime.ts'

/**
 * The room that an alias of this server names, for whoever asks; `M_NOT_FOUND` for any other alias.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1querydirectory
 */
export async function serveAlias(
  rt: Pick<Runtime, 'db' | 'serverName'>,
  alias: string,
): Promise<{ readonly roomId: RoomId; readonly servers: readonly string[] }> {
  return findLocalRoom(rt, alias)
}

/**
 * The rooms this server lists that others can be in, if its admin wants them told.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1publicrooms
 */
export async function servePublicRooms(
  rt: Pick<Runtime, 'db' | 'config'>,
  query: DirectoryQuery,
): Promise<DirectoryPage> {
  if (!rt.config.disclosure.tellsPublicRooms) {
    throw new MatrixError('M_FORBIDDEN', 'this server does not show its directory to others')
  }
  return publicRooms(rt, { ...query, isForServers: true })
}
