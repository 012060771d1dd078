// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { Tx } from '@myelin/storage/engine/database'
import { countAliases, putAlias } from '@myelin/storage/rooms/aliases'
import type { Alias } from '@myelin/storage/rooms/aliases'

/** The most local aliases of which a user is the creator. */
export const MAX_ALIASES_OF_USER = 2000
/** The most local aliases that can be given to a room. */
export const MAX_ALIASES_OF_ROOM = 200

/**
 * Creates a local alias; returns false where it is taken.
 *
 * @throws MatrixError `M_FORBIDDEN` where the creator or the room has the most aliases that are allowed
 */
export async function addAlias(tx: Tx, alias: Alias, now: number): Promise<boolean> {
  const { ofCreator, ofRoom } = await countAliases(tx, alias.creator, alias.roomId)
  if (ofCreator >= MAX_ALIASES_OF_USER)
    throw new MatrixError('M_FORBIDDEN', `you have ${MAX_ALIASES_OF_USER} room aliases; delete one first`)
  if (ofRoom >= MAX_ALIASES_OF_ROOM)
    throw new MatrixError('M_FORBIDDEN', `the room has ${MAX_ALIASES_OF_ROOM} aliases; delete one first`)
  return putAlias(tx, alias, now)
}
