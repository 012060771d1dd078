// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import { segmentsOf } from './segments.ts'
import type { Segment } from './segments.ts'
import { neededTokens } from './tokens.ts'

/** The most words of a search term, with those of its quotes, and the most parts that `or` stands between. */
const MAX_WORDS = 32
const MAX_ALTERNATIVES = 8

/** A part of a search term: segments that stand together in quotes, or one segment. */
export interface TermPart {
  readonly segments: readonly [Segment, ...Segment[]]
  readonly isQuoted: boolean
}

/** What a text must have and must not have; a term is a list of alternatives. */
export interface Alternative {
  readonly wanted: readonly TermPart[]
  readonly unwanted: readonly TermPart[]
}

/**
 * Returns the alternatives of a search term; none where it has no words.
 *
 * A text must have all words of an alternative, in any order. Words begin with what is written; in quotes they are whole and stand
 * one after the other. A word or a quote after `-` must not occur. `or` stands between alternatives. These are the rules of
 * Synapse, which takes them from PostgreSQL's web searches.
 *
 * @throws MatrixError `M_INVALID_PARAM` for a term with too many words or alternatives
 */
export function parseSearchTerm(term: string): Alternative[] {
  const alternatives: { wanted: TermPart[]; unwanted: TermPart[] }[] = [{ wanted: [], unwanted: [] }]
  let words = 0
  for (const { text, isQuoted, isUnwanted } of piecesOf(term)) {
    if (!isQuoted && text.toLowerCase() === 'or') {
      alternatives.push({ wanted: [], unwanted: [] })
      continue
    }
    const parts = partsOf(segmentsOf(text), isQuoted)
    words += parts.reduce((sum, { segments }) => sum + segments.length, 0)
    if (words > MAX_WORDS)
      throw new MatrixError('M_INVALID_PARAM', `\`search_term\` must have at most ${MAX_WORDS} words`)
    alternatives.at(-1)?.[isUnwanted ? 'unwanted' : 'wanted'].push(...parts)
  }
  const meant = alternatives.filter(({ wanted }) => wanted.length > 0)
  if (meant.length > MAX_ALTERNATIVES)
    throw new MatrixError(
      'M_INVALID_PARAM',
      `\`search_term\` must have at most ${MAX_ALTERNATIVES} parts around \`or\``,
    )
  return meant
}

interface Piece {
  readonly text: string
  readonly isQuoted: boolean
  readonly isUnwanted: boolean
}

/** The quotes that keyboards put in the place of the plain one. */
const PIECE =
  /(-?)(?:["\u201c\u201d\u201e\u00ab\u00bb\u300c]([^"\u201c\u201d\u201e\u00ab\u00bb\u300d]*)["\u201c\u201d\u00ab\u00bb\u300d]|([^\s"\u201c\u201d\u201e\u00ab\u00bb\u300c\u300d]+))/gu

function piecesOf(term: string): Piece[] {
  return Array.from(term.matchAll(PIECE), ([, minus, quoted, plain]) => ({
    text: quoted ?? plain ?? '',
    isQuoted: quoted !== undefined,
    isUnwanted: minus === '-',
  }))
}

function partsOf(segments: readonly Segment[], isQuoted: boolean): TermPart[] {
  const [first, ...others] = segments
  if (!first) return []
  if (isQuoted) return [{ segments: [first, ...others], isQuoted }]
  return segments.map((segment) => ({ segments: [segment], isQuoted }))
}

/** Returns the tokens that each text that matches an alternative has. */
export function tokensNeededFor({ wanted }: Alternative): string[] {
  return [...new Set(wanted.flatMap(({ segments }) => segments.flatMap(neededTokens)))]
}
