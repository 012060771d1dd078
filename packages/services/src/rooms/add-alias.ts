// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomAlias } from '@myelin/matrix/ids'
import type { Tx } from '@myelin/storage/engine/database'
import { countAliases, putAlias } from '@myelin/storage/rooms/aliases'
import type { Alias } from '@myelin/storage/rooms/aliases'
import { appServices } from '../runtime/app-services.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'

/** The most local aliases of which a user is the creator. */
export const MAX_ALIASES_OF_USER = 2000
/** The most local aliases that can be given to a room. */
export const MAX_ALIASES_OF_ROOM = 200

/**
 * Refuses a local alias that is reserved for another application service, or that an application service has not in its
 * namespaces; throws `M_EXCLUSIVE`.
 *
 * @see https://spec.matrix.org/v1.19/application-service-api/#registration
 */
export function refuseForeignAlias(
  rt: Pick<Runtime, 'config'>,
  { appService }: Pick<Requester, 'appService'>,
  alias: RoomAlias,
): void {
  if (appServices(rt.config).reservesAlias(alias, appService)) {
    throw new MatrixError('M_EXCLUSIVE', 'this alias is reserved by an application service')
  }
  if (appService && !appService.hasAlias(alias)) {
    throw new MatrixError('M_EXCLUSIVE', 'the alias is not in a namespace of the application service')
  }
}

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
