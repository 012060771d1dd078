// SPDX-License-Identifier: Apache-2.0
import { matchGlob, hasWildcard } from '@myelin/matrix/glob'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { isObject, member, objectMember } from '@myelin/matrix/json'
import { nextTurn } from '@myelin/kit/next-turn'

/** Number of characters matched against the globs before yielding: within a millisecond. */
const TEXT_A_TURN = 4096
/** Invisible characters, which can be inserted to hide a word. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu
/** The longest user ID. */
const MAX_ID_LENGTH = 255

/**
 * Returns all texts in an event's content, folded: look-alike letters unified, lower case, without invisible
 * characters. Member names of objects are not texts. Together they have at most 64 KiB.
 */
export function textsIn(content: JsonObject): string[] {
  const texts: string[] = []
  const open: Json[] = [content]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === 'string') texts.push(folded(value))
    else if (Array.isArray(value)) open.push(...value)
    else if (isObject(value)) open.push(...Object.values(value))
  }
  return texts
}

/** Returns the folded form of a text, in which texts and globs are compared. */
export function folded(text: string): string {
  return text.normalize('NFKC').replace(INVISIBLE, '').toLowerCase()
}

/**
 * Returns the first of some folded globs that matches anywhere in one of the texts; yields between parts of long
 * texts.
 */
export async function globFoundIn(texts: readonly string[], globs: readonly string[]): Promise<string | undefined> {
  for (const glob of globs) {
    const pattern = hasWildcard(glob) ? `*${glob}*` : undefined
    for (const text of texts) {
      if (pattern === undefined ? text.includes(glob) : matchGlob(pattern, text)) return glob
      if (pattern !== undefined && text.length > TEXT_A_TURN) await nextTurn()
    }
  }
  return undefined
}

/** Returns whether one of some folded texts has a link to the web. */
export function hasLink(texts: readonly string[]): boolean {
  return texts.some((text) => text.includes('https://') || text.includes('http://') || text.includes('matrix.to/#/'))
}

/** Returns how many users, and rooms as a whole, an event mentions, by its `m.mentions` and its texts. */
export function mentionsIn(content: JsonObject, texts: readonly string[]): number {
  const mentioned = new Set<string>()
  for (const part of [content, objectMember(content, 'm.new_content') ?? {}]) {
    const said = objectMember(part, 'm.mentions') ?? {}
    const ids = member(said, 'user_ids')
    if (Array.isArray(ids)) for (const id of ids) mentioned.add(typeof id === 'string' ? folded(id) : '')
    if (member(said, 'room') === true) mentioned.add('@room')
  }
  for (const text of texts) addUserIds(text, mentioned)
  return mentioned.size
}

/** Adds the user IDs in a text. Each piece between two `@` is examined once, up to the longest length of an ID. */
function addUserIds(text: string, found: Set<string>): void {
  const pieces = text.replaceAll('%40', '@').replaceAll('%3a', ':').split('@')
  for (const piece of pieces.slice(1)) {
    const [word = ''] = piece.slice(0, MAX_ID_LENGTH).split(/[\s"'<>()[\],!?]/, 1)
    const colon = word.indexOf(':')
    if (colon > 0 && colon < word.length - 1) found.add(`@${word.replace(/[.:;]+$/, '')}`)
  }
}
