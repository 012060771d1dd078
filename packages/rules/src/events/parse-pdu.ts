// SPDX-License-Identifier: Apache-2.0
import { TooLongError } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import { type EventId, fitsBytes, isEventId, isRoomId, isUserId, type RoomId, type UserId } from '@myelin/matrix/ids'
import { isObject, type Json, type JsonObject, member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { numberOf } from '@myelin/matrix/raw-number'
import type { RoomVersion } from '../room-versions.ts'
import { type CanonicalMember, canonicalMembers, joinMembers, signedForm } from './canonical-members.ts'
import { hashedEventId, roomIdOfCreate } from './event-id.ts'
import { referencesOf } from './references.ts'

/** The largest event, in bytes of its federation form, signatures included. */
export const MAX_PDU_BYTES = 65536

/** The message for a `type`, `state_key` or `sender` of more than 255 bytes. */
export const FIELD_TOO_LONG = '`type`, `state_key` and `sender` must have at most 255 bytes each'

/** The source of an event. */
export interface PduSource {
  /** The event comes from `/backfill`, where events may have more references than live ones. */
  readonly isBackfill?: boolean
}

/**
 * Parses an event of a room version, with its ID; throws `M_BAD_JSON`, `M_TOO_LARGE` or `M_INVALID_PARAM` for an
 * invalid one.
 *
 * It checks the format alone: hashes, signatures and the authorization rules are checked elsewhere. `unsigned` is
 * dropped.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export function parsePdu(source: JsonObject, version: RoomVersion, from: PduSource = {}): Pdu {
  const { unsigned: _unsigned, ...json } = source
  const members = encode(json, version)
  if (!fitsBytes(joinMembers(members), MAX_PDU_BYTES)) throw tooLarge()
  checkSeals(json)
  const isOurFormat = version.eventIds === 'chosen by server'
  const fields = {
    sender: senderOf(json),
    ...typeOf(json, version),
    content: need(objectMember(json, 'content'), 'content must be an object'),
    prevEvents: referencesOf(json, 'prev_events', isOurFormat, from.isBackfill ? Infinity : 20),
    authEvents: referencesOf(json, 'auth_events', isOurFormat, from.isBackfill ? Infinity : 10),
    depth: integer(json, 'depth', version.strictCanonicalJson ? Number.MAX_SAFE_INTEGER : 2 ** 63),
    originServerTs: integer(json, 'origin_server_ts', 2 ** 63),
  }
  const id = hashedEventId(signedForm(members, json, version), version) ?? chosenId(json)
  const redacts = targetOf(json, fields.type, version)
  return Object.freeze({ id, roomId: roomOf(json, id, fields, version), ...fields, ...redacts, json })
}

function encode(json: JsonObject, version: RoomVersion): CanonicalMember[] {
  try {
    // A hostile event of megabytes is not written to its end.
    return canonicalMembers(json, version, MAX_PDU_BYTES)
  } catch (cause) {
    if (cause instanceof TooLongError) throw tooLarge()
    if (!(cause instanceof RangeError)) throw cause
    throw new MatrixError('M_BAD_JSON', 'numbers must be integers within ±(2^53 - 1)', { cause })
  }
}

function tooLarge(): MatrixError {
  return new MatrixError('M_TOO_LARGE', 'an event must have at most 65536 bytes')
}

function checkSeals(json: JsonObject): void {
  need(stringMember(need(objectMember(json, 'hashes'), 'hashes must be an object'), 'sha256'), 'hashes needs sha256')
  const signatures = need(objectMember(json, 'signatures'), 'signatures must be an object')
  for (const ofServer of Object.values(signatures)) {
    const isListed = isObject(ofServer) && Object.values(ofServer).every((each) => typeof each === 'string')
    if (!isListed) throw bad('signatures must be texts by server and key')
  }
}

function senderOf(json: JsonObject): UserId {
  const sender = stringMember(json, 'sender')
  if (!isUserId(sender)) throw invalid('`sender` must be a user ID')
  return sender
}

function typeOf(json: JsonObject, version: RoomVersion): { readonly type: string; readonly stateKey?: string } {
  const type = need(stringMember(json, 'type'), '`type` must be a string')
  const stateKey = member(json, 'state_key')
  if (stateKey !== undefined && typeof stateKey !== 'string') throw bad('`state_key` must be a string')
  for (const text of [type, stateKey ?? '']) {
    const fits = fitsBytes(text, 255) || (version.countsCodePoints && Array.from(text).length <= 255)
    if (!fits) throw new MatrixError('M_TOO_LARGE', FIELD_TOO_LONG)
  }
  return stateKey === undefined ? { type } : { type, stateKey }
}

function integer(json: JsonObject, key: string, most: number): number {
  const value = numberOf(member(json, key))
  if (value === undefined || !Number.isInteger(value) || value < 0 || value > most)
    throw bad(`${key} must be an integer in range`)
  return value
}

function chosenId(json: JsonObject): EventId {
  const id = stringMember(json, 'event_id')
  if (!isEventId(id) || !id.includes(':')) throw invalid('`event_id` must be an event ID')
  return id
}

/** Returns the room ID, which for a create event since version 12 is derived from its hash. */
function roomOf(
  json: JsonObject,
  id: EventId,
  event: { type: string; stateKey?: string },
  version: RoomVersion,
): RoomId {
  const room = member(json, 'room_id')
  const makesRoom =
    version.roomIds === 'hash of create event' && event.type === 'm.room.create' && event.stateKey === ''
  if (room === undefined && makesRoom) return roomIdOfCreate(id)
  if (!isRoomId(room)) throw invalid('`room_id` must be a room ID')
  return room
}

function targetOf(json: JsonObject, type: string, version: RoomVersion): { readonly redacts?: EventId } {
  const home = version.redactsInContent ? (objectMember(json, 'content') ?? {}) : json
  const target = member(home, 'redacts')
  if (target !== undefined && typeof target !== 'string' && !version.redactsInContent)
    throw bad('`redacts` must be a string')
  return type === 'm.room.redaction' && typeof target === 'string' ? { redacts: target as EventId } : {}
}

function need<T extends Json>(value: T | undefined, message: string): T {
  if (value === undefined) throw bad(message)
  return value
}

function bad(message: string): MatrixError {
  return new MatrixError('M_BAD_JSON', message)
}

function invalid(message: string): MatrixError {
  return new MatrixError('M_INVALID_PARAM', message)
}
