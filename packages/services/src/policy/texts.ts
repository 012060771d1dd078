// SPDX-License-Identifier: Apache-2.0
import { matchGlob, hasWildcard } from '@myelin/matrix/glob'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { isObject, member, objectMember } from '@myelin/matrix/json'
import { nextTurn } from '@myelin/kit/next-turn'

/** A text of this length is matched against a few globs within a millisecond. */
const TEXT_A_TURN = 4096
/** What is shown as nothing, and is put between letters so that a word is not found. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu
/** The longest a user ID may be. */
const LONGEST_ID = 255

/**
 * All texts in a content, folded: one form for letters that look the same, lower case, nothing invisible between them.
 * Names of members are no texts. As an event has at most 64 KiB, so have they.
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

/** The form in which texts and what is looked for in them are compared. */
export function folded(text: string): string {
  return text.normalize('NFKC').replace(INVISIBLE, '').toLowerCase()
}

/** The first of some folded globs that matches anywhere in one of some texts. Long texts are looked at with others having their turn between. */
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

/** Whether one of some folded texts leads somewhere on the web. */
export function hasLink(texts: readonly string[]): boolean {
  return texts.some((text) => text.includes('https://') || text.includes('http://') || text.includes('matrix.to/#/'))
}

/** How many people, and rooms as a whole, an event mentions, as it says and as its texts show. */
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

/** What has the form `@name:server` in a text. Each piece between two `@` is looked at once, and no further than an ID can be long. */
function addUserIds(text: string, found: Set<string>): void {
  const pieces = text.replaceAll('%40', '@').replaceAll('%3a', ':').split('@')
  for (const piece of pieces.slice(1)) {
    const [word = ''] = piece.slice(0, LONGEST_ID).split(/[\s"'<>()[\],!?]/, 1)
    const colon = word.indexOf(':')
    if (colon > 0 && colon < word.length - 1) found.add(`@${word.replace(/[.:;]+$/, '')}`)
  }
}
