// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'

/** The tables of events that are sent later. */
export interface DelayedTables {
  /** Events that are sent at `due_ts`, unless their sender puts that off or cancels them; times in ms. `sticky_ms` is 0 for an event that is not sticky. */
  delayed_events: {
    delay_id: string
    user_id: UserId
    device_id: string
    room_id: RoomId
    event_type: string
    state_key: string | null
    content: string
    delay_ms: number
    sticky_ms: number
    since_ts: number
    due_ts: number
  }
  /** Delayed events that are sent once a participant of a call is no longer connected to the SFU. */
  delegated_leaves: {
    delay_id: string
    user_id: UserId
    livekit_room: string
    identity: string
    created_ts: number
    is_seen: number
  }
}
