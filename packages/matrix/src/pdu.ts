// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from './ids.ts'
import type { JsonObject } from './json.ts'

/**
 * An event, parsed once at the border and frozen.
 *
 * `json` is the wire form (hashes and signatures included, `unsigned` left out, and in room versions
 * 1 and 2 the `event_id`): what was hashed and signed. Everything else is read from it.
 */
export interface Pdu {
  readonly id: EventId
  readonly roomId: RoomId
  readonly sender: UserId
  readonly type: string
  readonly stateKey?: string
  readonly content: JsonObject
  readonly prevEvents: readonly EventId[]
  readonly authEvents: readonly EventId[]
  readonly depth: number
  readonly originServerTs: number
  /** The event a redaction names, wherever its room version keeps it. */
  readonly redacts?: EventId
  readonly json: JsonObject
}
