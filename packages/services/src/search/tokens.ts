// SPDX-License-Identifier: Apache-2.0
import { SEARCHABLE_TYPES } from '@myelin/storage/rooms/events/searchable'
import { segmentsOf } from './segments.ts'
import type { Segment } from './segments.ts'

/** The most characters of a text that are searched. */
export const MAX_INDEXED_CHARS = 16_384
/** The most tokens of a text. */
const MAX_TOKENS = 1_000
/** A word is indexed by its first characters: a search for more of them is decided by the text of what is found. */
const SHORT_PREFIX = 3
const LONG_PREFIX = 5

/** Returns the tokens of a text, by which its event is found. */
export function tokensOf(text: string): string[] {
  const tokens = new Set<string>()
  for (const segment of segmentsOf(text.slice(0, MAX_INDEXED_CHARS))) {
    addTokens(tokens, segment)
    if (tokens.size >= MAX_TOKENS) break
  }
  return [...tokens].slice(0, MAX_TOKENS)
}

function addTokens(tokens: Set<string>, { kind, text }: Segment): void {
  if (kind === 'run') return addParts(tokens, text)
  if (kind === 'sign') return void tokens.add(text)
  tokens.add(text.slice(0, SHORT_PREFIX))
  if (text.length >= LONG_PREFIX) tokens.add(text.slice(0, LONG_PREFIX))
}

/** Adds each two characters of a run that stand beside each other, and each that means a word by itself. */
function addParts(tokens: Set<string>, run: string): void {
  const characters = Array.from(run)
  for (const [index, character] of characters.entries()) {
    const next = characters[index + 1]
    if (next !== undefined) tokens.add(character + next)
    if (characters.length === 1 || isWordAlone(character)) tokens.add(character)
  }
}

/** Returns whether one character of a script without spaces is searched for by itself: those of Chinese are. */
export const isWordAlone = (character: string): boolean => HAN.test(character)
const HAN = /^\p{Script=Han}/u

/** Returns the tokens that each text with this segment has, where a word is looked for by its beginning. */
export function neededTokens({ kind, text }: Segment): string[] {
  if (kind === 'sign') return [text]
  if (kind === 'word') return [text.slice(0, text.length >= LONG_PREFIX ? LONG_PREFIX : SHORT_PREFIX)]
  const characters = Array.from(text)
  if (characters.length < 2) return [text]
  return [...new Set(characters.slice(1).map((character, index) => `${characters[index] ?? ''}${character}`))]
}

/** The keys that can be searched, in the words of the API. */
export const SEARCH_KEYS = ['content.body', 'content.name', 'content.topic'] as const
/** One of the keys that can be searched. */
export type SearchKey = (typeof SEARCH_KEYS)[number]

/** Returns the key that events of a type have; undefined for those that cannot be found. */
export function keyOfType(type: string): SearchKey | undefined {
  return SEARCH_KEYS[SEARCHABLE_TYPES.indexOf(type)]
}

/** Returns the token that each entry with a key has. */
export const keyToken = (key: SearchKey): string => `\u00b7${key.slice('content.'.length)}`
