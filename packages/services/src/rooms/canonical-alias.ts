// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isRoomAlias } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { aliasTarget } from '@myelin/storage/aliases'
import type { Read } from '@myelin/storage/database'
import type { OpenRoom } from '@myelin/storage/rooms'
import { loadStateEvent } from './load-auth-state.ts'

/**
 * Aliases that a canonical alias event adds must be valid (`M_INVALID_PARAM`) and name this room (`M_BAD_ALIAS`).
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#mroomcanonical_alias
 */
export async function checkAliases(db: Read, room: OpenRoom, content: JsonObject): Promise<void> {
  const current = await loadStateEvent(db, room.stateRoot, 'm.room.canonical_alias')
  const known = new Set(current ? aliasesIn(current.content) : [])
  for (const alias of aliasesIn(content)) {
    if (known.has(alias)) continue
    if (typeof alias !== 'string' || !isRoomAlias(alias)) throw new MatrixError('M_INVALID_PARAM', 'not a room alias')
    const target = await aliasTarget(db, alias)
    if (target?.roomId !== room.id) throw new MatrixError('M_BAD_ALIAS', `${alias} does not name this room`)
  }
}

function aliasesIn(content: JsonObject): unknown[] {
  const [main, others] = [member(content, 'alias'), member(content, 'alt_aliases')]
  if (others !== undefined && !Array.isArray(others)) throw new MatrixError('M_BAD_JSON', 'alt_aliases must be a list')
  const list = Array.isArray(others) ? [...(others as readonly unknown[])] : []
  return main === undefined || main === null || main === '' ? list : [main, ...list]
}
