// SPDX-License-Identifier: Apache-2.0
import { accountDataExtension } from './account-data.ts'
import { e2eeExtension } from './e2ee.ts'
import type { SlidingExtension } from './extension.ts'
import { profilesExtension } from './profiles.ts'
import { receiptsExtension } from './receipts.ts'
import { stickyEventsExtension } from './sticky-events.ts'
import { threadSubscriptionsExtension } from './thread-subscriptions.ts'
import { toDeviceExtension } from './to-device.ts'
import { typingExtension } from './typing.ts'

/**
 * The extensions of sliding sync, in the order in which they are read. A new extension is one file and one line here; unknown
 * ones in a request are ignored.
 */
export const SLIDING_EXTENSIONS: readonly SlidingExtension[] = [
  toDeviceExtension,
  e2eeExtension,
  accountDataExtension,
  receiptsExtension,
  typingExtension,
  profilesExtension,
  threadSubscriptionsExtension,
  stickyEventsExtension,
]
