// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isServerName } from '@myelin/matrix/ids'
import type { Asker } from '../peers/ask-server.ts'
import { askPublicRooms } from '../peers/public-rooms.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { publicRooms } from './public-rooms.ts'
import type { DirectoryPage, DirectoryQuery } from '../room-state/directory-page.ts'

/**
 * Returns a page of the room directory of this server, or of another one.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3publicrooms
 */
export async function listedRooms(
  rt: Pick<Runtime, 'db' | 'config'> & Asker,
  server: string | undefined,
  query: DirectoryQuery,
): Promise<DirectoryPage> {
  if (!rt.config.directory.listsRooms) return { chunk: [], total_room_count_estimate: 0 }
  if (server === undefined || server === rt.serverName) return publicRooms(rt, query)
  if (!isServerName(server)) throw new MatrixError('M_INVALID_PARAM', '`server` must be a server name')
  return askPublicRooms(rt, server, query)
}
