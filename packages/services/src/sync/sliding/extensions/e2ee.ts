// SPDX-License-Identifier: Apache-2.0
import { fallbackKeysSection, oneTimeKeysSection } from '../../sections/key-counts.ts'
import type { SlidingExtension } from './extension.ts'

/**
 * `e2ee`: device lists that changed, and the keys of the device that are left. The counts alone do not end a wait.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/pull/3884
 */
export const e2eeExtension: SlidingExtension = {
  name: 'e2ee',
  async read({ sync }) {
    const lists = await sync.deviceLists()
    const hasNews = lists.changed.length > 0 || lists.left.length > 0
    return {
      value: {
        device_one_time_keys_count: await oneTimeKeysSection.changes(sync),
        device_unused_fallback_key_types: await fallbackKeysSection.changes(sync),
        // All are tracked anew after the first answer.
        ...(sync.slice.since === undefined ? {} : { device_lists: lists }),
      },
      hasNews,
    }
  },
}
