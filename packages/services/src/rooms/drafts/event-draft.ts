// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Tx } from '@myelin/storage/engine/database'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Runtime } from '../../runtime/runtime.ts'

/** Undoes the unit of an event that could be sent, and was only tried. */
export class Rehearsed extends Error {
  override readonly name = 'Rehearsed'
}

/** An event before it gets its place in the room's graph. */
export interface EventDraft {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly type: string
  readonly stateKey?: string
  readonly content: JsonObject
  readonly redacts?: EventId
  /** The time in ms for which a message event is sticky (MSC4354). */
  readonly stickyMs?: number
  /** The `origin_server_ts` that an application service gave the event, in ms. */
  readonly originServerTs?: number
  /** This server's name, for events signed by another server that expects an `origin`. */
  readonly origin?: ServerName
  /** The sending device and its transaction ID. */
  readonly transaction?: { readonly deviceId: string; readonly txnId: string }
  /**
   * Work in the unit that sends the event, for an event that was scheduled and limited earlier: no rate limit applies. What it
   * throws refuses the event.
   */
  readonly claim?: (tx: Tx) => Promise<void>
  /** The event is only tried: instead of being sent it is refused with {@link Rehearsed}. */
  readonly isRehearsal?: boolean
}

/** The part of the runtime that building events takes. */
export type EventMaker = Pick<Runtime, 'serverName' | 'signingKey' | 'clock' | 'random'> & {
  /** Events that a policy server signed in an earlier run of the unit, used unchanged. */
  readonly recommended?: readonly Pdu[]
}
