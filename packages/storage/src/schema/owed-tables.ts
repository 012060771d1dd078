// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Nid, Position } from './scalars.ts'

/** The tables of work that committed changes owe. */
export interface OwedTables {
  /** Kicks and bans that redact the target's events; those from `before` on are redacted. */
  owed_redactions: { event_nid: Nid; before: Position }
  /** Invites that a new room owes. No node but the one that makes the room takes one before `due_ts` (ms). */
  owed_invites: { room_nid: Nid; user_id: UserId; sender: UserId; is_direct: number; due_ts: number }
  /** Rooms whose `m.room.guest_access` changed: where they no longer allow guests, this server's guests leave. */
  owed_guest_checks: { room_nid: Nid }
}
