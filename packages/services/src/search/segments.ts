// SPDX-License-Identifier: Apache-2.0

/**
 * A part of a text that is searched for as a whole:
 * - `word`: letters and digits of a script with spaces between words;
 * - `run`: characters of a script without them, such as Chinese, Japanese, Korean, Thai;
 * - `sign`: one emoji or symbol.
 */
export interface Segment {
  readonly kind: 'word' | 'run' | 'sign'
  /** Folded: without case, accents, and differences of width. */
  readonly text: string
  /** As it was written. */
  readonly written: string
}

// Korean puts spaces between phrases, not words: particles follow their noun without one.
const RUN_SCRIPTS = ['Hani', 'Hira', 'Kana', 'Hang', 'Bopo', 'Yiii', 'Thai', 'Laoo', 'Khmr', 'Mymr', 'Tibt', 'Java']
const RUN = `[[\\p{L}\\p{M}\\p{N}]&&[${RUN_SCRIPTS.map((script) => `\\p{scx=${script}}`).join('')}]]`
const WORD = `[[\\p{L}\\p{M}\\p{N}]--${RUN}]`
const SIGN = `[\\p{Extended_Pictographic}\\p{Regional_Indicator}]`
const SEGMENT = new RegExp(`(${RUN}+)|(${WORD}+)|(${SIGN})`, 'gv')
const PLAIN = /^[\x20-\x7e\s]*$/
const PLAIN_WORD = /[a-z0-9]+/g

/** Returns the segments of a text in their order. */
export function segmentsOf(text: string): Segment[] {
  // Most texts of many servers need nothing else.
  if (PLAIN.test(text))
    return Array.from(text.toLowerCase().matchAll(PLAIN_WORD), ([word]) => ({
      kind: 'word',
      text: word,
      written: word,
    }))
  const segments: Segment[] = []
  for (const [written, run, word] of text.normalize('NFC').toLowerCase().matchAll(SEGMENT)) {
    const kind = run === undefined ? (word === undefined ? 'sign' : 'word') : 'run'
    const own = kind === 'sign' ? written : folded(written)
    // Of marks without a letter nothing is left.
    if (own !== '') segments.push({ kind, text: own, written })
  }
  return segments
}

// Accents, and the vowel signs that Hebrew and Arabic mostly leave out.
const MARKS = /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u0610-\u061a\u064b-\u065f\u0670\u0640]/g
const LETTERS = /[øłđæœßıς]/g
// Some letters stand for several words.
const OTHERS = /[^\p{L}\p{M}\p{N}]/gu
const SPELLED: Readonly<Record<string, string>> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  æ: 'ae',
  œ: 'oe',
  ß: 'ss',
  ı: 'i',
  ς: 'σ',
}

/** Returns a segment without case, accents, and differences of width. */
function folded(written: string): string {
  const plain = written
    .normalize('NFKD')
    .replace(MARKS, '')
    .replace(LETTERS, (letter) => SPELLED[letter] ?? letter)
  return plain.normalize('NFC').toLowerCase().replace(OTHERS, '')
}
