// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import { findLocalRoom } from '../../directory/aliases.ts'
import { publicRooms } from '../../directory/public-rooms.ts'
import type { DirectoryPage, DirectoryQuery } from '../../room-state/directory-page.ts'
import type { Runtime } from '../../runtime/runtime.ts'

/**
 * Returns the room of a local alias, with servers in it; throws `M_NOT_FOUND` for any other alias.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1querydirectory
 */
export async function serveAlias(
  rt: Pick<Runtime, 'db' | 'serverName' | 'remote' | 'config' | 'log'>,
  alias: string,
): Promise<{ readonly roomId: RoomId; readonly servers: readonly string[] }> {
  return findLocalRoom(rt, alias)
}

/**
 * Returns the published rooms that users of other servers may join; throws `M_FORBIDDEN` where the admin has not
 * enabled it.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1publicrooms
 */
export async function servePublicRooms(
  rt: Pick<Runtime, 'db' | 'config'>,
  query: DirectoryQuery,
): Promise<DirectoryPage> {
  if (!rt.config.disclosure.allowsPublicRooms) {
    throw new MatrixError('M_FORBIDDEN', 'the room directory of this server is not available over federation')
  }
  return publicRooms(rt, { ...query, isForServers: true })
}
