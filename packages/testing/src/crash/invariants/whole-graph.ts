// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { contentHashMatches } from '@myelin/rules/events/content-hash'
import { parsePdu } from '@myelin/rules/events/parse-pdu'
import { isSignedBy } from '@myelin/rules/events/signing'
import { roomVersion } from '@myelin/rules/room-versions'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Invariant } from '../record/invariant.ts'
import type { Observation, SeenEvent, SeenRoom } from '../record/observation.ts'

const MAX_ENDS = 20

/**
 * L5: every event that events of a room name exists, all hashes and signatures are valid, and the state follows from
 * the events.
 */
export const wholeGraph: Invariant = {
  name: 'L5',
  title: 'the graph is whole, hashed and signed; state is its replay',
  judge(_deeds, seen) {
    const violations: string[] = []
    let checked = 0
    for (const room of seen.rooms) {
      const version = roomVersion(room.version)
      if (!version) throw new Error(`room version ${room.version} is not known`)
      const pdus = room.pdus.flatMap((json) => verified(json, version, seen.signer, violations))
      judgeLinks(pdus, room, violations)
      judgeState(room, violations)
      checked += pdus.length
    }
    return { checked, violations }
  },
}

function verified(
  source: JsonObject,
  version: RoomVersion,
  { serverName, keyId, publicKey }: Observation['signer'],
  violations: string[],
): Pdu[] {
  const { event_id: _named, unsigned: _unsigned, ...json } = source
  const named = stringMember(source, 'event_id')
  let pdu: Pdu
  try {
    pdu = parsePdu(json, version)
  } catch (cause) {
    violations.push(`${named} is no event: ${String(cause)}`)
    return []
  }
  if (pdu.id !== named) violations.push(`${named} hashes to ${pdu.id}`)
  if (!contentHashMatches(pdu.json)) violations.push(`the content of ${pdu.id} is not what was hashed`)
  if (!isSignedBy(pdu, version, serverName, keyId, publicKey)) violations.push(`${pdu.id} is not signed`)
  return [pdu]
}

function judgeLinks(pdus: readonly Pdu[], { roomId, messages }: SeenRoom, violations: string[]): void {
  const ids = new Set<string>(pdus.map(({ id }) => id))
  const ends = new Set(ids)
  for (const { id, prevEvents, authEvents } of pdus) {
    for (const other of [...prevEvents, ...authEvents])
      if (!ids.has(other)) violations.push(`${id} names ${other}, which does not exist`)
    for (const other of prevEvents) ends.delete(other)
  }
  if (ends.size > MAX_ENDS) violations.push(`${roomId} has ${ends.size} forward extremities`)
  for (const { id } of messages) if (!ids.has(id)) violations.push(`${id} is in /messages but not in the graph`)
  const shown = new Set(messages.map(({ id }) => id))
  for (const id of ids) if (!shown.has(id)) violations.push(`${id} is in the graph but not in /messages`)
}

function judgeState({ roomId, messages, state }: SeenRoom, violations: string[]): void {
  const expected = new Map<string, string>()
  const at = ({ type, stateKey = '' }: SeenEvent) => JSON.stringify([type, stateKey])
  for (const event of messages) if (event.stateKey !== undefined) expected.set(at(event), event.id)
  const actual = new Map(state.map((event) => [at(event), event.id]))
  for (const [key, id] of expected)
    if (actual.get(key) !== id) violations.push(`state ${key} of ${roomId} is ${actual.get(key)}, should be ${id}`)
  for (const key of actual.keys())
    if (!expected.has(key)) violations.push(`state ${key} of ${roomId} came from nowhere`)
}
