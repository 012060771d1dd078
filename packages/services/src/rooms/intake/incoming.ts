// SPDX-License-Identifier: Apache-2.0
import type { Pdu } from '@myelin/matrix/pdu'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { EventFacts } from '@myelin/storage/rooms/events/append-event'

/** An event from elsewhere whose form, signatures and hashes were checked, and how it comes. */
export interface Incoming {
  readonly pdu: Pdu
  readonly version: RoomVersion
  /** Where it stands if it is not news but history. */
  readonly historicPosition?: number
  /** What it follows cannot be had for now: where the room's members are not known, it is not waited for. */
  readonly isAdrift?: boolean
  /** The room's policy server does not want it. */
  readonly isUnwanted?: boolean
  /** The device of ours that sent it and the transaction id it gave. */
  readonly transaction?: EventFacts['transaction']
}
