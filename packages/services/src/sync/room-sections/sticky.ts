// SPDX-License-Identifier: Apache-2.0
import { renderEvents } from '../../reading/render.ts'
import type { RoomSection } from './room-section.ts'

/**
 * `msc4354_sticky` of a joined room: the events that became sticky, without those in the timeline. Filters of events do not apply.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/4354
 */
export const stickySection: RoomSection = {
  async read({ scope: { db, slice }, sticky }) {
    if (sticky.length === 0) return { members: {}, hasChanged: false }
    const { filter, requester } = slice.request
    const format = { hasRoomId: false, isFederation: filter.isFederationFormat, fields: filter.fields }
    const events = await renderEvents(db, sticky, { requester, now: slice.now, format })
    return { members: { msc4354_sticky: { events } }, hasChanged: true }
  },
}
