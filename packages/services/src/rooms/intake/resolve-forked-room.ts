// SPDX-License-Identifier: Apache-2.0
import { compareCodePoints } from '@myelin/matrix/canonical-json'
import type { RoomId } from '@myelin/matrix/ids'
import type { Database } from '@myelin/storage/engine/database'
import { forwardExtremitiesOf } from '@myelin/storage/rooms/forward-extremities'
import type { ForwardExtremity } from '@myelin/storage/rooms/forward-extremities'
import { roomNid } from '@myelin/storage/engine/names'
import { openRoom, roomById } from '@myelin/storage/rooms/rooms'
import { applyResolvedState } from '@myelin/storage/rooms/append/resolved-state'
import { roomVersionOf } from '../../room-state/versions.ts'
import type { RoomContext } from '../../room-state/room-context.ts'
import { resolveElsewhere } from '../resolution/resolutions.ts'

/** The most states resolved at once; more are resolved in groups first. */
const MAX_STATES = 1_000
/** The most attempts while the room changes during a resolution. */
const MAX_TRIES = 3

/**
 * Sets the current state of a room to what its forward extremities resolve to, computed on another thread. Returns
 * false where the room kept changing.
 */
export async function resolveForkedRoom({ db }: { readonly db: Database }, roomId: RoomId): Promise<boolean> {
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const room = await roomById(db.read, roomId)
    const nid = await roomNid(db.read, roomId)
    if (!room?.isUnsettled || nid === undefined) return true
    const extremities = await forwardExtremitiesOf(db.read, nid)
    const root = await rootOf(db, { roomId, version: roomVersionOf(room.roomVersion) }, extremities)
    const isSettled = await db.write(async (tx) => {
      const now = await openRoom(tx, roomId)
      if (!now?.isUnsettled) return true
      if (now.lastPosition !== room.lastPosition) return false
      await applyResolvedState(tx, now, root)
      return true
    })
    if (isSettled) return true
  }
  return false
}

/**
 * Returns the state that forward extremities resolve to. It does not depend on their order: where they are too many
 * for one resolution, they are grouped by ID.
 */
async function rootOf(db: Database, room: RoomContext, extremities: readonly ForwardExtremity[]): Promise<number> {
  const ordered = extremities.toSorted((a, b) => compareCodePoints(a.id, b.id))
  let roots = [...new Set(ordered.map(({ stateAfter }) => stateAfter))]
  while (roots.length > 1) {
    const resolved: number[] = []
    for (let at = 0; at < roots.length; at += MAX_STATES) {
      resolved.push(await resolveElsewhere(db, { ...room, roots: roots.slice(at, at + MAX_STATES) }))
    }
    roots = [...new Set(resolved)]
  }
  return roots[0] ?? 0
}
