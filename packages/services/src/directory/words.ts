// SPDX-License-Identifier: Apache-2.0
import { localpartOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'

const MAX_WORDS = 20
const MAX_CHARACTERS = 64

/** Returns the folded words of a text: bounded in number and length. */
function wordsOf(text: string): string[] {
  const folded = text.slice(0, 2000).normalize('NFKC').toLowerCase().toWellFormed()
  const words = folded.split(/[^\p{L}\p{M}\p{N}]+/u).filter((word) => word !== '')
  return words.slice(0, MAX_WORDS).map((word) => word.slice(0, MAX_CHARACTERS).toWellFormed())
}

/** Returns the words by which a user is found: of the display name and the localpart. */
export function wordsOfUser(userId: UserId, displayName: string | undefined): Set<string> {
  return new Set([...wordsOf(localpartOf(userId)), ...wordsOf(displayName ?? '')])
}

/** Returns the words of a search term; of a user ID only the localpart. */
export function searchedWords(term: string): string[] {
  const text = term.trim()
  return wordsOf(text.startsWith('@') ? (text.slice(1).split(':')[0] ?? '') : text)
}
