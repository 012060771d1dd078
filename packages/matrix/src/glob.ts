// SPDX-License-Identifier: Apache-2.0
/**
 * Returns whether a whole text matches a glob, where `*` is any run of characters and `?` is exactly one.
 *
 * Greedy, with backtracking to the last star only: at worst the product of the two lengths, never exponential. Globs
 * come from other servers, so they never become regular expressions.
 *
 * @see https://spec.matrix.org/v1.19/appendices/#glob-style-matching
 */
export function matchGlob(glob: string, text: string): boolean {
  let inGlob = 0
  let inText = 0
  let star = -1
  let resume = 0
  while (inText < text.length) {
    const sign = glob.charCodeAt(inGlob)
    if (sign === STAR) {
      star = inGlob++
      resume = inText
    } else if (inGlob < glob.length && (sign === QUESTION || sign === text.charCodeAt(inText))) {
      inText += sign === QUESTION ? widthAt(text, inText) : 1
      inGlob++
    } else if (star !== -1) {
      inGlob = star + 1
      resume += widthAt(text, resume)
      inText = resume
    } else return false
  }
  while (glob.charCodeAt(inGlob) === STAR) inGlob++
  return inGlob === glob.length
}

/** Returns whether a glob has a wildcard; without one it is plain text. */
export function hasWildcard(glob: string): boolean {
  return glob.includes('*') || glob.includes('?')
}

const STAR = 0x2a
const QUESTION = 0x3f

/** Returns the width of a code point: two units for a surrogate pair. */
function widthAt(text: string, at: number): number {
  const point = text.codePointAt(at) ?? 0
  return point > 0xffff ? 2 : 1
}
