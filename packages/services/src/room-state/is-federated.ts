// SPDX-License-Identifier: Apache-2.0
import { member } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { loadStateEvent } from './load-auth-state.ts'

/**
 * Returns whether a room admits users of other servers.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroomcreate
 */
export async function isFederated(db: Read, stateRoot: number): Promise<boolean> {
  const create = await loadStateEvent(db, stateRoot, 'm.room.create')
  return create !== undefined && member(create.content, 'm.federate') !== false
}
