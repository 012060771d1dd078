// SPDX-License-Identifier: Apache-2.0
import type { Pdu } from '@myelin/matrix/pdu'
import type { Nid, Position } from './schema.ts'

/** A parsed PDU with its encoded client form; one object shared by all readers of the event. */
export interface CachedPdu {
  readonly pdu: Pdu
  /** The client form without `unsigned`, encoded in UTF-8; set by the first reader that renders the event. */
  clientJson?: string
}

/** An event as it stands in this server's history. Two numbers name whole states: before and after it. */
export interface StoredEvent extends CachedPdu {
  /** Storage's number of the event; compare it, never show it. */
  readonly nid: Nid
  readonly position: Position | null
  readonly stateBefore: Nid
  readonly stateAfter: Nid
  /**
   * The root of the room's current state after the event arrived; for a soft-failed event, of the state that
   * soft-failed it.
   */
  readonly roomRoot: Nid
  /** The number of notifying events of the main timeline, up to and including this one. */
  readonly notified: number
  readonly replaces: Nid | null
  readonly redactedBy: Nid | null
  readonly thread: Nid | null
  readonly status: number
  /** The device that sent it and the transaction id it gave. */
  readonly transaction: { readonly deviceId: string; readonly txnId: string } | undefined
  readonly kept: CachedPdu
}
