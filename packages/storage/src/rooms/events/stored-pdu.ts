// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import type { Pdu } from '@myelin/matrix/pdu'
import { hasRawNumbers, numberOf } from '@myelin/matrix/raw-number'
import type { Bytes } from '../../schema/schema.ts'

const decoder = new TextDecoder()

/**
 * Returns the bytes of a PDU for {@link storedPdu}. A leading space means that a number is not written as JavaScript
 * writes it.
 */
export function pduBytes(pdu: Pdu): Bytes {
  const text = JSON.stringify(pdu.json)
  return Buffer.from(hasRawNumbers(pdu.json) ? ` ${text}` : text)
}

/** Returns a PDU this server has judged before: read back without any check. */
export function storedPdu(bytes: Bytes, id: EventId, roomId: RoomId): Pdu {
  const text = decoder.decode(bytes)
  const json = (text.startsWith(' ') ? parseJson(text, { keepNumbers: true }) : JSON.parse(text)) as JsonObject
  const stateKey = stringMember(json, 'state_key')
  const content = objectMember(json, 'content') ?? {}
  const redacts = stringMember(json, 'redacts') ?? stringMember(content, 'redacts')
  const type = stringMember(json, 'type') ?? ''
  return {
    id,
    roomId,
    sender: json['sender'] as UserId,
    type,
    ...(stateKey === undefined ? {} : { stateKey }),
    content,
    prevEvents: referencesIn(json['prev_events']),
    authEvents: referencesIn(json['auth_events']),
    depth: numberOf(json['depth']) ?? 0,
    originServerTs: numberOf(json['origin_server_ts']) ?? 0,
    ...(type === 'm.room.redaction' && redacts !== undefined ? { redacts: redacts as EventId } : {}),
    json,
  }
}

/** Returns the referenced event IDs. Room versions 1 and 2 write pairs of ID and hashes. */
function referencesIn(list: Json | undefined): EventId[] {
  if (!Array.isArray(list)) return []
  return (list as readonly Json[]).map((entry) => (Array.isArray(entry) ? entry[0] : entry) as EventId)
}
