// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import { checkRooms, roomsFor } from './extension.ts'
import type { SlidingExtension } from './extension.ts'

/**
 * `typing`: the users who type, in rooms that are shown and where that changed.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3961
 */
export const typingExtension: SlidingExtension = {
  name: 'typing',
  begin: async (_rt, _requester, config) => checkRooms(config),
  async read(scope, config) {
    const { tools, slice, after: since } = scope.sync
    const rooms: Record<string, JsonObject> = {}
    for (const { roomId, after, isInitial } of roomsFor(scope, config)) {
      if (scope.windows.rooms.get(roomId)?.membership.membership !== 'join') continue
      const isNew = isInitial || slice.since === undefined
      const typers = tools.typing.changedSince(roomId, isNew || after < since ? 0 : (slice.since?.typing ?? 0))
      // A client that does not know the room yet assumes that no user is typing.
      if (typers === undefined || (isNew && typers.length === 0)) continue
      rooms[roomId] = { type: 'm.typing', content: { user_ids: typers } }
    }
    return { value: { rooms }, hasNews: Object.keys(rooms).length > 0 }
  },
}
