// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { isUserId } from '@myelin/matrix/ids'
import { isObject, member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { contentHashMatches } from '@myelin/rules/events/content-hash'
import { parseIncoming } from '../intake/check-incoming.ts'
import type { Checker } from '../intake/check-incoming.ts'
import type { RoomContext } from '../../room-state/room-context.ts'
import { checkEventSignatures } from '../../peers/trust/check-signatures.ts'
import { stripped } from '../../room-state/stripped-state.ts'

const MOST = 100

/**
 * Returns the stripped state that another server sent with an invite or a knock. Where the room ID can be checked
 * against the create event, that event must be complete; every complete event must be signed and of this room.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid
 */
export async function shownRoomState(rt: Checker, room: RoomContext, list: Json | undefined): Promise<JsonObject[]> {
  const entries = (Array.isArray(list) ? (list as readonly Json[]) : []).slice(0, MOST)
  if (room.version.roomIds === 'chosen by server') return entries.flatMap(strippedIn)
  if (list === undefined) throw new MatrixError('M_MISSING_PARAM', '`invite_room_state` is missing')
  // Synapse 1.136 to 1.161 sends the create event complete and the rest stripped; the stripped events are accepted.
  const [whole, bare] = [entries.filter(isWhole), entries.filter((entry) => !isWhole(entry))]
  const pdus = whole.map((json) => {
    const parsed = parseIncoming(json, room)
    if ('fault' in parsed) throw new MatrixError('M_INVALID_PARAM', `\`invite_room_state\`: ${parsed.fault}`)
    return parsed.pdu
  })
  const signed = await checkEventSignatures(rt, room.version, pdus)
  const areGood = pdus.every((pdu) => signed.has(pdu.id) && pdu.stateKey !== undefined && contentHashMatches(pdu.json))
  if (!areGood || !pdus.some(({ type }) => type === 'm.room.create')) {
    throw new MatrixError(
      'M_INVALID_PARAM',
      '`invite_room_state` must be signed events with the create event among them',
    )
  }
  const shown = pdus.map(stripped)
  const names = new Set(shown.map(nameOf))
  return [...shown, ...bare.flatMap(strippedIn).filter((entry) => !names.has(nameOf(entry)))]
}

/** Returns whether an entry claims to be a complete event: a stripped one has no hashes. */
function isWhole(entry: Json): boolean {
  return isObject(entry) && member(entry, 'hashes') !== undefined
}

const nameOf = (event: JsonObject) => JSON.stringify([member(event, 'type'), member(event, 'state_key')])

/** Returns the four fields of a stripped state event where they are valid, for older room versions. */
function strippedIn(entry: Json): JsonObject[] {
  if (!isObject(entry)) return []
  const [type, stateKey, content] = [
    stringMember(entry, 'type'),
    stringMember(entry, 'state_key'),
    objectMember(entry, 'content'),
  ]
  const sender = member(entry, 'sender')
  if (type === undefined || stateKey === undefined || content === undefined || !isUserId(sender)) return []
  return [{ type, state_key: stateKey, sender, content }]
}
