// SPDX-License-Identifier: Apache-2.0
import type { SyncSection } from './sync-section.ts'

/** `device_lists`: the users whose devices changed, and those who share no room with the user any more. */
export const deviceListsSection: SyncSection = {
  path: ['device_lists'],
  unchanged: { changed: [], left: [] },
  async changes(scope) {
    const lists = await scope.deviceLists()
    return lists.changed.length > 0 || lists.left.length > 0 ? lists : undefined
  },
}
