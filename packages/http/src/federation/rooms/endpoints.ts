// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { backfillRoom } from './backfill-room.ts'
import { getEventAuth } from './get-event-auth.ts'
import { getEventByTimestamp } from './get-event-by-timestamp.ts'
import { getEvent } from './get-event.ts'
import { getMissingPreviousEvents } from './get-missing-previous-events.ts'
import { getRoomStateIds } from './get-room-state-ids.ts'
import { getRoomState } from './get-room-state.ts'
import { getSpaceHierarchy } from './get-space-hierarchy.ts'

/** Events and state of rooms. */
export const federationRoomEndpoints: readonly AnyEndpoint[] = [
  backfillRoom,
  getEventAuth,
  getEventByTimestamp,
  getEvent,
  getMissingPreviousEvents,
  getRoomStateIds,
  getRoomState,
  getSpaceHierarchy,
]
