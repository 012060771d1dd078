// SPDX-License-Identifier: Apache-2.0

/** A private-use character, which is rare. A literal one is encoded as itself with a 1 behind it. */
const MARK = '\uf8ff'
const NUL = '\u0000'

/** Encodes a text for PostgreSQL, whose texts have no NUL. Matrix allows NUL in types, state keys and names. */
export function encodeText(text: string): string {
  if (!text.includes(NUL) && !text.includes(MARK)) return text
  return text.replaceAll(MARK, `${MARK}1`).replaceAll(NUL, `${MARK}0`)
}

/** Decodes a text of {@link encodeText}. */
export function decodeText(text: string): string {
  return text.includes(MARK) ? text.replaceAll(`${MARK}0`, NUL).replaceAll(`${MARK}1`, MARK) : text
}
