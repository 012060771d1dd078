// SPDX-License-Identifier: Apache-2.0
import type { Nid, Position } from './scalars.ts'

/** The tables of sticky events. */
export interface StickyTables {
  /**
   * Events that are sticky until `ends_ts` (ms). `position` is the one from which clients are shown the event; 0 for an event
   * that is soft-failed.
   */
  sticky_events: {
    event_nid: Nid
    room_nid: Nid
    sender_nid: Nid
    position: Position
    ends_ts: number
  }
}
