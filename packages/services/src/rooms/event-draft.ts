// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Runtime } from '../runtime/runtime.ts'

/** An event before it gets its place in the room's graph. */
export interface EventDraft {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly type: string
  readonly stateKey?: string
  readonly content: JsonObject
  readonly redacts?: EventId
  /** This server's name, for events signed by another server that expects an `origin`. */
  readonly origin?: ServerName
  /** The sending device and its transaction ID. */
  readonly transaction?: { readonly deviceId: string; readonly txnId: string }
}

/** The part of the runtime that building events takes. */
export type EventMaker = Pick<Runtime, 'serverName' | 'signingKey' | 'clock' | 'random'> & {
  /** Events that a policy server signed in an earlier run of the unit, used unchanged. */
  readonly recommended?: readonly Pdu[]
}
