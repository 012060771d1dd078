// SPDX-License-Identifier: Apache-2.0
import { renderRoomEvents } from '../render-room-events.ts'
import type { RoomSection } from './room-section.ts'

/** `timeline` and `state` of a joined room. */
export const eventsSection: RoomSection = {
  async read({ scope, timeline, state }) {
    return {
      members: await renderRoomEvents(scope.db, scope.slice, { timeline, state }),
      hasChanged: timeline.events.length > 0 || timeline.isLimited || state.length > 0,
    }
  },
}
