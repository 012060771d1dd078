// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import { renderEvents } from '../../../reading/render.ts'
import { MAX_STICKY, readSticky } from '../../sticky.ts'
import type { SlidingExtension } from './extension.ts'

/**
 * `org.matrix.msc4354.sticky_events`: the events that became sticky in all rooms that a list or a subscription matches, without
 * those in the timelines of the answer. Its `since` is the last `next_batch`, which is no `pos`.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4480
 */
export const stickyEventsExtension: SlidingExtension = {
  name: 'org.matrix.msc4354.sticky_events',
  async begin({ db }, _requester, config) {
    limitOf(config)
    // A token that is still to come is of a database that was restored since.
    if ((sinceOf(config) ?? 0) > (await db.position()))
      throw new MatrixError('M_UNKNOWN_POS', '`since` of `sticky_events` is not known; start without it')
  },
  async read({ sync, windows, results }, config) {
    const { db, slice } = sync
    const after = sinceOf(config)
    const matching = windows.matching()
    const question = { after: after ?? 0, limit: limitOf(config), isWanted: (roomId: RoomId) => matching.has(roomId) }
    const { rooms, upTo } = await readSticky(db, slice, question)
    const { requester } = slice.request
    const shown: Record<string, object> = {}
    for (const [roomId, events] of rooms) {
      const inTimeline = new Set(results.get(roomId)?.timeline?.stored.map(({ nid }) => nid))
      const beside = events.filter(({ nid }) => !inTimeline.has(nid))
      if (beside.length === 0) continue
      const view = { requester, now: slice.now, format: { hasRoomId: false } }
      shown[roomId] = { events: await renderEvents(db, beside, view) }
    }
    if (rooms.size === 0 && after !== undefined) return undefined
    return { value: { next_batch: `sticky_${upTo}`, rooms: shown }, hasNews: rooms.size > 0 }
  },
}

function sinceOf(config: JsonObject): number | undefined {
  const since = member(config, 'since')
  if (since === undefined) return undefined
  const match = typeof since === 'string' ? /^sticky_(\d{1,15})$/.exec(since) : null
  if (!match) throw new MatrixError('M_INVALID_PARAM', '`since` of `sticky_events` must be its last `next_batch`')
  return Number(match[1])
}

function limitOf(config: JsonObject): number {
  const asked = member(config, 'limit')
  // Synapse refuses null.
  const limit = asked === undefined ? MAX_STICKY : asked
  if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 1)
    throw new MatrixError('M_INVALID_PARAM', '`limit` of `sticky_events` must be a positive integer')
  return Math.min(limit, MAX_STICKY)
}
