// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Runtime } from '../runtime/runtime.ts'

/** An event as its sender means it, before it has a place in the room. */
export interface EventDraft {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly type: string
  readonly stateKey?: string
  readonly content: JsonObject
  readonly redacts?: EventId
  /** This server, where another one that signs the event wants it named. */
  readonly origin?: ServerName
  /** The device that sends it and the transaction id it gave. */
  readonly transaction?: { readonly deviceId: string; readonly txnId: string }
}

/** The part of the runtime that making events takes. */
export type EventMaker = Pick<Runtime, 'serverName' | 'signingKey' | 'clock' | 'random'> & {
  /** Events that a policy server signed in an earlier run of the unit, to be used as they are. */
  readonly recommended?: readonly Pdu[]
}
