// SPDX-License-Identifier: Apache-2.0
import { firstLight } from './0001-first-light.ts'
import { slidingSync } from './0002-sliding-sync.ts'
import { pushers } from './0003-pushers.ts'
import { delayedEvents } from './0004-delayed-events.ts'
import { delegatedLeaves } from './0005-delegated-leaves.ts'
import { threadSubscriptions } from './0006-thread-subscriptions.ts'
import { stickyEvents } from './0007-sticky-events.ts'
import { dehydratedDevices } from './0008-dehydrated-devices.ts'
import { owedWork } from './0009-owed-work.ts'
import { search } from './0010-search.ts'
import { rooms } from './0011-rooms.ts'
import { urlPreviews } from './0012-url-previews.ts'
import { mediaAccess } from './0013-media-access.ts'
import { registrationTokens } from './0014-registration-tokens.ts'
import { adminLists } from './0015-admin-lists.ts'
import { networkRooms } from './0016-network-rooms.ts'
import { toDeviceByPosition } from './0017-to-device-by-position.ts'
import type { Migration } from './migration.ts'

/** Every step of the schema, in order. */
export const migrations: readonly Migration[] = [
  firstLight,
  slidingSync,
  pushers,
  delayedEvents,
  delegatedLeaves,
  threadSubscriptions,
  stickyEvents,
  dehydratedDevices,
  owedWork,
  search,
  rooms,
  urlPreviews,
  mediaAccess,
  registrationTokens,
  adminLists,
  networkRooms,
  toDeviceByPosition,
]
