// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { getRelatingEventsWithRelTypeAndEventType } from './get-relating-events-with-rel-type-and-event-type.ts'
import { getRelatingEventsWithRelType } from './get-relating-events-with-rel-type.ts'
import { getRelatingEvents } from './get-relating-events.ts'
import { getThreadRoots } from './get-thread-roots.ts'

/** Relations between events, and threads. */
export const relationEndpoints: readonly AnyEndpoint[] = [
  getRelatingEventsWithRelTypeAndEventType,
  getRelatingEventsWithRelType,
  getRelatingEvents,
  getThreadRoots,
]
