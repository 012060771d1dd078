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
import { registrationTokens } from './0011-registration-tokens.ts'
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
  registrationTokens,
]
