// SPDX-License-Identifier: Apache-2.0
import { canonicalJson, canonicalJsonLoose, canonicalKeys } from '@myelin/matrix/canonical-json'
import { isObject, type Json, type JsonObject, member } from '@myelin/matrix/json'
import { redactContent } from '../redaction.ts'
import type { RoomVersion } from '../room-versions.ts'

/** One member of an event, encoded: `"depth":12`. */
export interface CanonicalMember {
  readonly key: string
  readonly text: string
}

/**
 * Returns the encoding that a room version hashes: strict from version 6 on, earlier with numbers as they were
 * spelled.
 */
function canonicalOf(value: Json, version: RoomVersion, maxLength?: number): string {
  return version.strictCanonicalJson ? canonicalJson(value, maxLength) : canonicalJsonLoose(value, maxLength)
}

/**
 * Returns an event's encoded members in canonical order, for hashing, signing and measuring.
 *
 * Throws a RangeError for a number that the version's JSON excludes, and a `TooLongError` where one member has more than about
 * `maxLength` characters.
 */
export function canonicalMembers(json: JsonObject, version: RoomVersion, maxLength?: number): CanonicalMember[] {
  return canonicalKeys(json).map((key) => canonicalMember(key, json[key] ?? null, version, maxLength))
}

/** Returns one member, encoded. */
export function canonicalMember(key: string, value: Json, version: RoomVersion, maxLength?: number): CanonicalMember {
  return { key, text: `${canonicalJson(key)}:${canonicalOf(value, version, maxLength)}` }
}

/** Returns the object with these members. */
export function joinMembers(members: readonly CanonicalMember[]): string {
  let text = ''
  for (const member of members) text += text === '' ? member.text : `,${member.text}`
  return `{${text}}`
}

/**
 * Returns the text that the content hash covers: all but `unsigned`, `signatures` and `hashes`.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#calculating-the-content-hash-for-an-event
 */
export function contentHashForm(members: readonly CanonicalMember[]): string {
  return joinMembers(members.filter(({ key }) => key !== 'unsigned' && key !== 'signatures' && key !== 'hashes'))
}

/**
 * Returns the text that signatures and the reference hash cover: the redacted event without `signatures` and
 * `unsigned`.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#calculating-the-reference-hash-for-an-event
 */
export function signedForm(members: readonly CanonicalMember[], json: JsonObject, version: RoomVersion): string {
  const { topLevel } = version.redaction
  const kept = members.filter(({ key }) => key !== 'signatures' && topLevel.includes(key))
  return joinMembers(kept.map((each) => (each.key === 'content' ? redactedContent(each, json, version) : each)))
}

function redactedContent(encoded: CanonicalMember, json: JsonObject, version: RoomVersion): CanonicalMember {
  const content = member(json, 'content')
  const type = member(json, 'type')
  if (!isObject(content) || typeof type !== 'string') return encoded
  const kept = redactContent(type, content, version.redaction)
  return kept === content ? encoded : canonicalMember('content', kept, version)
}
