// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from './ids.ts'
import type { JsonObject } from './json.ts'

/**
 * An event, parsed once on arrival and frozen.
 *
 * `json` is the wire form (with hashes and signatures, without `unsigned`, and in room versions 1 and 2 with the
 * `event_id`), which was hashed and signed. All other members are read from it.
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
  /** The target of a redaction, wherever its room version has it. */
  readonly redacts?: EventId
  readonly json: JsonObject
}
