// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import type { Pdu } from '@myelin/matrix/pdu'
import { parseStoredPdu } from '@myelin/rules/events/stored-pdu'
import type { RoomVersion } from '@myelin/rules/room-versions'

/** A waiting event, in a fifth of the memory and outside the heap. */
export interface PackedPdu {
  readonly id: EventId
  readonly bytes: Buffer
}

/** Packs an event. */
export function packPdu({ id, json }: Pdu): PackedPdu {
  return { id, bytes: Buffer.from(JSON.stringify(json)) }
}

/** Returns the packed event. */
export function unpackPdu({ id, bytes }: PackedPdu, roomId: RoomId, version: RoomVersion): Pdu {
  return parseStoredPdu(parseJson(bytes.toString(), { keepNumbers: true }) as JsonObject, id, roomId, version)
}
