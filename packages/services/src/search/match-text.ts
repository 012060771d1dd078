// SPDX-License-Identifier: Apache-2.0
import type { Alternative, TermPart } from './search-term.ts'
import { segmentsOf } from './segments.ts'
import type { Segment } from './segments.ts'
import { isWordAlone, MAX_INDEXED_CHARS } from './tokens.ts'

/** How a text matches a search term. */
export interface TextMatch {
  /** Between 0 and 1; the higher, the closer. */
  readonly rank: number
  /** The words that matched, as they are written in the text, without case; in alphabetical order. */
  readonly words: readonly string[]
}

/** A word that only begins with what was searched counts this much. */
const PREFIX_WEIGHT = 0.6
/** How fast further occurrences count less, and how much each segment of the text takes away. */
const SATURATION = 0.5
const LENGTH_WEIGHT = 0.02
/** The most words that are named for a part of a search term. */
const MAX_NAMED = 64

/** Returns how a text matches the best of a term's alternatives; undefined where it matches none. */
export function matchText(text: string, alternatives: readonly Alternative[]): TextMatch | undefined {
  const segments = segmentsOf(text.slice(0, MAX_INDEXED_CHARS))
  let best: TextMatch | undefined
  for (const alternative of alternatives) {
    const match = matchAlternative(segments, alternative)
    if (match && (!best || match.rank > best.rank)) best = match
  }
  return best
}

function matchAlternative(segments: readonly Segment[], { wanted, unwanted }: Alternative): TextMatch | undefined {
  const words = new Set<string>()
  let sum = 0
  for (const part of wanted) {
    const found = occurrences(segments, part)
    if (found.weight === 0) return undefined
    sum += found.weight / (found.weight + SATURATION + LENGTH_WEIGHT * segments.length)
    for (const word of found.words) words.add(word)
  }
  if (unwanted.some((part) => occurrences(segments, part).weight > 0)) return undefined
  return { rank: sum / wanted.length, words: [...words].toSorted() }
}

interface Occurrences {
  readonly weight: number
  readonly words: readonly string[]
}

function occurrences(segments: readonly Segment[], { segments: searched, isQuoted }: TermPart): Occurrences {
  let weight = 0
  const words: string[] = []
  for (let start = 0; start + searched.length <= segments.length; start++) {
    let least = 1
    for (let index = 0; least > 0 && index < searched.length; index++)
      least = Math.min(least, weightOf(segments[start + index], searched[index], isQuoted))
    if (least === 0) continue
    weight += least
    // A long text may have a word a thousand times.
    if (words.length < MAX_NAMED) words.push(...writtenAt(segments, start, searched))
  }
  return { weight, words }
}

/** Returns the segments of a text that matched, as they are written; of a run, the part that was searched. */
function writtenAt(segments: readonly Segment[], start: number, searched: readonly Segment[]): string[] {
  return searched.map(({ kind, text }, index) => (kind === 'run' ? text : (segments[start + index]?.written ?? text)))
}

/** Returns how much a segment of a text counts for one that is searched; 0 where it does not match. */
function weightOf(own: Segment | undefined, searched: Segment | undefined, isWhole: boolean): number {
  if (!own || own.kind !== searched?.kind) return 0
  if (own.text === searched.text) return 1
  if (own.kind === 'run') return isInRun(own.text, searched.text) ? 1 : 0
  // Very short beginnings would match nearly everything.
  const isPrefix = own.kind === 'word' && !isWhole && searched.text.length > 2 && own.text.startsWith(searched.text)
  return isPrefix ? PREFIX_WEIGHT : 0
}

function isInRun(run: string, searched: string): boolean {
  const [first = '', second] = Array.from(searched)
  return (second !== undefined || isWordAlone(first)) && run.includes(searched)
}
