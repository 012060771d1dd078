// SPDX-License-Identifier: Apache-2.0
import type { AnyEndpoint } from '../../endpoint.ts'
import { createRoom } from './create-room.ts'
import { getEventByTimestamp } from './get-event-by-timestamp.ts'
import { getRoomSummary } from './get-room-summary.ts'
import { getSpaceHierarchy } from './get-space-hierarchy.ts'
import { getEventContext, getOneRoomEvent, getRoomEvents } from './history.ts'
import { getJoinedMembersByRoom, getJoinedRooms, getMembersByRoom } from './members.ts'
import {
  ban,
  forgetRoom,
  inviteToRoom,
  joinRoomById,
  joinRoomByIdOrAlias,
  kick,
  knockRoom,
  leave,
  unban,
} from './membership.ts'
import { redactEvent, sendMessage } from './send-message.ts'
import {
  getRelatingEvents,
  getRelatingEventsWithRelType,
  getRelatingEventsWithRelTypeAndEventType,
  getThreadRoots,
} from './relations.ts'
import { upgradeRoom } from './upgrade-room.ts'
import { getRoomState, getRoomStateWithKey, setRoomStateWithKey } from './state.ts'

/** Everything about rooms. */
export const roomEndpoints: readonly AnyEndpoint[] = [
  createRoom,
  sendMessage,
  redactEvent,
  setRoomStateWithKey,
  getRoomStateWithKey,
  getRoomState,
  joinRoomByIdOrAlias,
  joinRoomById,
  knockRoom,
  inviteToRoom,
  leave,
  forgetRoom,
  kick,
  ban,
  unban,
  getRoomEvents,
  getEventContext,
  getOneRoomEvent,
  getMembersByRoom,
  getJoinedMembersByRoom,
  getJoinedRooms,
  getEventByTimestamp,
  getRoomSummary,
  getSpaceHierarchy,
  upgradeRoom,
  getRelatingEvents,
  getRelatingEventsWithRelType,
  getRelatingEventsWithRelTypeAndEventType,
  getThreadRoots,
]
