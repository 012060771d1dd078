// SPDX-License-Identifier: Apache-2.0
import { isObject, member, objectMember, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { keyOfType } from './tokens.ts'
import type { SearchKey } from './tokens.ts'

/** The text by which an event is found, and the key it stands under. */
export interface SearchedText {
  readonly key: SearchKey
  readonly text: string
}

/**
 * Returns the text by which an event is found; undefined where it has none.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#search-categories
 */
export function searchedTextOf(event: {
  readonly type: string
  readonly isState: boolean
  readonly content: JsonObject
}): SearchedText | undefined {
  const key = keyOfType(event.type)
  if (key === undefined || (key !== 'content.body' && !event.isState)) return undefined
  const own = stringMember(event.content, key.slice('content.'.length))
  const plain = key === 'content.topic' ? plainTopic(event.content) : undefined
  // The two are mostly the same.
  const text = plain === undefined || plain === own ? own : `${own ?? ''}\n${plain}`
  return text === undefined || text === '' ? undefined : { key, text }
}

/** Returns the body of the `text/plain` representation of a topic. */
function plainTopic(content: JsonObject): string | undefined {
  const list = member(objectMember(content, 'm.topic') ?? {}, 'm.text')
  if (!Array.isArray(list)) return undefined
  const plain = (list as readonly Json[]).find(isPlain)
  return isObject(plain) ? stringMember(plain, 'body') : undefined
}

/** A representation without a type is plain text. */
function isPlain(entry: Json): boolean {
  return isObject(entry) && (member(entry, 'mimetype') ?? 'text/plain') === 'text/plain'
}
