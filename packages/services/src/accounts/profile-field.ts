// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import { fitsBytes } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'

const MAX_KEY_BYTES = 255
const MAX_PROFILE_BYTES = 65_536
const LONGEST = new Map([
  ['displayname', 256],
  ['avatar_url', 1000],
])

/** The profile fields that are part of a user's member events. */
export const MEMBER_FIELDS: ReadonlySet<string> = new Set(LONGEST.keys())

/**
 * Refuses an invalid name of a profile field.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#common-namespaced-identifier-grammar
 */
export function checkProfileKey(key: string): void {
  if (!fitsBytes(key, MAX_KEY_BYTES)) {
    throw new MatrixError('M_KEY_TOO_LARGE', `the name of a profile field must have at most ${MAX_KEY_BYTES} bytes`)
  }
  if (!/^[a-z][a-z0-9._-]*$/.test(key)) {
    throw new MatrixError('M_INVALID_PARAM', 'the name of a profile field must consist of a-z, 0-9 and . _ -')
  }
}

/** Refuses an invalid value of a field; display names and avatars are strings; an empty one deletes them. */
export function checkProfileValue(key: string, value: Json): void {
  const longest = LONGEST.get(key)
  if (longest === undefined) return
  if (typeof value !== 'string') throw new MatrixError('M_INVALID_PARAM', `\`${key}\` must be a string`)
  if (value.length > longest)
    throw new MatrixError('M_INVALID_PARAM', `\`${key}\` must have at most ${longest} characters`)
}

/** Refuses a profile that is larger than the spec allows. */
export function checkProfileSize(profile: JsonObject): void {
  if (Buffer.byteLength(canonicalJson(profile)) >= MAX_PROFILE_BYTES) {
    throw new MatrixError('M_PROFILE_TOO_LARGE', 'the profile must have less than 64 KiB')
  }
}
