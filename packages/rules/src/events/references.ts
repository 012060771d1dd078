// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { type EventId, fitsBytes } from '@myelin/matrix/ids'
import { isObject, type Json, type JsonObject, member } from '@myelin/matrix/json'

/**
 * Returns the event IDs in `prev_events` or `auth_events`, checked. Room versions 1 and 2 write each as a pair with
 * its hash.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v3/#event-format
 */
export function referencesOf(json: JsonObject, key: string, arePairs: boolean, most: number): readonly EventId[] {
  const list = member(json, key)
  if (!Array.isArray(list)) throw new MatrixError('M_BAD_JSON', `\`${key}\` must be a list`)
  if (list.length > most) throw new MatrixError('M_INVALID_PARAM', `\`${key}\` must name at most ${most} events`)
  return list.map((entry: Json) => {
    const id = arePairs ? idOfPair(entry) : entry
    if (typeof id !== 'string' || !fitsBytes(id, 255))
      throw new MatrixError('M_BAD_JSON', `\`${key}\` must contain event IDs`)
    return id as EventId
  })
}

/** Returns the event IDs in `prev_events` or `auth_events` of an event that was checked on arrival. */
export function storedReferencesOf(json: JsonObject, key: string): readonly EventId[] {
  const list = json[key] as readonly Json[]
  return typeof list[0] === 'string' ? (list as readonly EventId[]) : list.map((entry) => idOfPair(entry) as EventId)
}

function idOfPair(entry: Json): Json | undefined {
  if (!Array.isArray(entry) || entry.length !== 2) return undefined
  const [id, hashes] = entry as readonly Json[]
  // The hashes are not verified, and deployed servers leave them empty at times.
  return isObject(hashes) ? id : undefined
}
