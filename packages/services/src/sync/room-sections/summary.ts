// SPDX-License-Identifier: Apache-2.0
import { keyNames } from '@myelin/storage/engine/names'
import { stateDifference } from '@myelin/storage/rooms/state/state'
import { rootAt } from '../room-state.ts'
import { summaryOf } from '../summary.ts'
import type { RoomScope, RoomSection } from './room-section.ts'

const SUMMARIZED = new Set(['m.room.member', 'm.room.name', 'm.room.canonical_alias'])

/** `summary` of a room: heroes and counts, when they may have changed. */
export const summarySection: RoomSection = {
  async read(room) {
    const hasChanged = room.isWhole || (await hasSummarizedChanges(room))
    const summary = hasChanged ? await summaryOf(room.scope.db, room.room, room.scope.slice.user) : {}
    return { members: { summary }, hasChanged }
  },
}

/**
 * Returns whether the state changed in the summary. Shown events do not decide: a filter may hide members, and lazy loading
 * shows unchanged ones.
 */
async function hasSummarizedChanges({ scope, membership, room, tail, after }: RoomScope): Promise<boolean> {
  const { db, upTo } = scope
  const bounds = { roomId: membership.roomId, tail, lastResolution: room.lastResolution }
  const changes = await stateDifference(db, await rootAt(db, bounds, after), await rootAt(db, bounds, upTo))
  const names = await keyNames(
    db,
    changes.map(({ key }) => key),
  )
  return [...names.values()].some(({ type }) => SUMMARIZED.has(type))
}
