// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { isObject, type JsonObject, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { numberOf } from '@myelin/matrix/raw-number'
import type { RoomVersion } from '../room-versions.ts'
import { storedReferencesOf } from './references.ts'

/**
 * Returns a stored event without checking it again.
 *
 * Pass the version where it is known: without it a redaction with two different targets is read as having none.
 */
export function parseStoredPdu(json: JsonObject, id: EventId, roomId: RoomId, version?: RoomVersion): Pdu {
  const stateKey = json['state_key']
  const redacts = json['type'] === 'm.room.redaction' ? targetOf(json, version) : undefined
  return Object.freeze({
    id,
    roomId,
    sender: json['sender'] as UserId,
    type: json['type'] as string,
    ...(typeof stateKey === 'string' ? { stateKey } : {}),
    content: json['content'] as JsonObject,
    prevEvents: storedReferencesOf(json, 'prev_events'),
    authEvents: storedReferencesOf(json, 'auth_events'),
    depth: numberOf(json['depth']) ?? 0,
    originServerTs: numberOf(json['origin_server_ts']) ?? 0,
    ...(redacts === undefined ? {} : { redacts }),
    json,
  })
}

function targetOf(json: JsonObject, version: RoomVersion | undefined): EventId | undefined {
  const content = json['content']
  const beside = version?.redactsInContent === true ? undefined : stringMember(json, 'redacts')
  const inside =
    version?.redactsInContent === false || !isObject(content) ? undefined : stringMember(content, 'redacts')
  return (beside === undefined || inside === undefined ? (beside ?? inside) : undefined) as EventId | undefined
}
