// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { backfillRoom, getEvent, getEventByTimestamp, getMissingPreviousEvents } from './history.ts'
import { getFederatedHierarchy } from './get-space-hierarchy.ts'
import { getEventAuth, getRoomState, getRoomStateIds } from './state.ts'

/** What other servers may read of rooms. */
export const federationRoomEndpoints: readonly AnyEndpoint[] = [
  getEvent,
  backfillRoom,
  getMissingPreviousEvents,
  getEventByTimestamp,
  getRoomState,
  getRoomStateIds,
  getEventAuth,
  getFederatedHierarchy,
]
