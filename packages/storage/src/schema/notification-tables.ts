// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Nid, Position } from './scalars.ts'

/** The tables of notifications. */
export interface NotificationTables {
  /**
   * The pushers of users. Events up to `position` are not pushed. `late_position` is the position of a pusher that is
   * behind, 0 for others. `data` is JSON.
   */
  pushers: {
    pusher_nid: Nid
    user_id: UserId
    app_id: string
    pushkey: string
    kind: string
    app_display_name: string
    device_display_name: string
    profile_tag: string
    lang: string
    data: string
    device_id: string
    is_enabled: number
    set_ts: number
    position: Position
    late_position: Position
    failing_since_ts: number
    retry_ts: number
    interval_ms: number
  }
  /**
   * The threads of users (MSC4306), by the number of the root. `position` is where the subscription last changed,
   * `unsubscribed_at` where the user last unsubscribed, 0 for never.
   */
  thread_subscriptions: {
    user_id: UserId
    thread_nid: Nid
    room_nid: Nid
    is_subscribed: number
    is_automatic: number
    position: Position
    unsubscribed_at: Position
  }
}
