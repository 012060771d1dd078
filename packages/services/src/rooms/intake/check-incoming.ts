// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import { MatrixError } from '@myelin/matrix/errors'
import type { EventId } from '@myelin/matrix/ids'
import { isObject } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { contentHashMatches } from '@myelin/rules/events/content-hash'
import { parsePdu } from '@myelin/rules/events/parse-pdu'
import type { PduSource } from '@myelin/rules/events/parse-pdu'
import { redactPdu } from '@myelin/rules/redaction'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { RoomContext } from '../../room-state/room-context.ts'
import { checkEventSignatures } from '../../peers/trust/check-signatures.ts'
import type { Runtime } from '../../runtime/runtime.ts'

/** Number of events hashed before yielding: some milliseconds. */
const AT_ONCE = 64

/** The part of the runtime that checking events takes; keys of other servers may be fetched. */
export type Checker = Pick<
  Runtime,
  'db' | 'remote' | 'clock' | 'config' | 'limits' | 'serverName' | 'signingKey' | 'otherKeys' | 'log'
>

/** A parsed event, or why it cannot be parsed. */
export type Parsed = { readonly pdu: Pdu } | { readonly fault: string }

/** Parses an event of this room in the format of its room version (step 1). */
export function parseIncoming(json: Json | undefined, { roomId, version }: RoomContext, from?: PduSource): Parsed {
  if (!isObject(json)) return { fault: 'an event must be an object' }
  try {
    const pdu = parsePdu(json, version, from)
    return pdu.roomId === roomId ? { pdu } : { fault: 'the event is of another room' }
  } catch (cause) {
    if (cause instanceof MatrixError) return { fault: cause.message }
    throw cause
  }
}

/**
 * Runs steps 1 to 3 of the spec's list for many events. Returns the well-formed events with all required signatures,
 * without duplicates, redacted where the content hash does not match.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export async function checkIncoming(
  rt: Checker,
  jsons: readonly Json[],
  room: RoomContext,
  from?: PduSource,
): Promise<Pdu[]> {
  const parsed = new Map<EventId, Pdu>()
  for (const json of jsons) {
    const result = parseIncoming(json, room, from)
    if ('pdu' in result) parsed.set(result.pdu.id, result.pdu)
  }
  return verified(rt, [...parsed.values()], room.version)
}

/** Returns the events with valid signatures, redacted if the content hash does not match (steps 2 and 3). */
export async function verified(rt: Checker, pdus: readonly Pdu[], version: RoomVersion): Promise<Pdu[]> {
  return asHashedAll(await withGoodSignatures(rt, pdus, version), version)
}

/** Returns the events that have all required signatures (step 2); keys may be fetched. */
export async function withGoodSignatures(rt: Checker, pdus: readonly Pdu[], version: RoomVersion): Promise<Pdu[]> {
  if (pdus.length === 0) return []
  const signed = await checkEventSignatures(rt, version, pdus)
  return pdus.filter(({ id }) => signed.has(id))
}

/** Returns the events, redacted if the content hash does not match (step 3); yields after every 64. */
export async function asHashedAll(pdus: readonly Pdu[], version: RoomVersion): Promise<Pdu[]> {
  const hashed: Pdu[] = []
  for (const [index, pdu] of pdus.entries()) {
    if (index % AT_ONCE === AT_ONCE - 1) await nextTurn()
    hashed.push(asHashed(pdu, version))
  }
  return hashed
}

/** Returns the event, redacted if its content hash does not match (step 3). */
export function asHashed(pdu: Pdu, version: RoomVersion): Pdu {
  return contentHashMatches(pdu.json) ? pdu : redactPdu(pdu, version)
}
