// SPDX-License-Identifier: Apache-2.0
import type { Pdu } from '@myelin/matrix/pdu'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { EventFacts } from '@myelin/storage/rooms/events/event-row'

/** An event of another server whose format, signatures and hashes were checked, and how it arrives. */
export interface Incoming {
  readonly pdu: Pdu
  readonly version: RoomVersion
  /** The position, where it arrives as history. */
  readonly historicPosition?: number
  /** Its `prev_events` are unavailable for now; a partially joined room does not wait for them. */
  readonly isAdrift?: boolean
  /** The time at which it arrived, in ms; absent for events that cannot be sticky. */
  readonly receivedTs?: number
  /** The room's policy server refused it. */
  readonly isUnwanted?: boolean
  /** The local sending device and its transaction ID. */
  readonly transaction?: EventFacts['transaction']
}
