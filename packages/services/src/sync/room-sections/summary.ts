// SPDX-License-Identifier: Apache-2.0
import type { RoomScope, RoomSection } from './room-section.ts'
import { rootAt } from '../room-state.ts'
import { summaryOf } from '../summary.ts'

const SUMMARIZED = new Set(['m.room.member', 'm.room.name', 'm.room.canonical_alias'])

/** `summary` of a room: heroes and counts, when they may have changed. */
export const summarySection: RoomSection = {
  async read(room) {
    const hasChanged = room.isWhole || (showsSummarized(room) && (await stateMoved(room)))
    const summary = hasChanged ? await summaryOf(room.scope.db, room.room, room.scope.slice.user) : {}
    return { members: { summary }, hasChanged }
  },
}

/** Members that lazy loading adds to what they sent change no summary: the state has to have moved. */
async function stateMoved({ scope, membership, room, tail, after }: RoomScope): Promise<boolean> {
  const bounds = { roomId: membership.roomId, tail, lastResolution: room.lastResolution }
  return (await rootAt(scope.db, bounds, after)) !== (await rootAt(scope.db, bounds, scope.upTo))
}

function showsSummarized({ timeline, state }: RoomScope): boolean {
  return [...timeline.events, ...state].some(({ pdu }) => SUMMARIZED.has(pdu.type))
}
