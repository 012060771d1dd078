// SPDX-License-Identifier: Apache-2.0

/** Of private use, so that it is rare; where it stands for itself it is followed by a 1. */
const MARK = '\uf8ff'
const NUL = '\u0000'

/** Returns a text as this engine can keep it: its texts have no NUL, and Matrix has it in types, state keys and names. */
export function encodeText(text: string): string {
  if (!text.includes(NUL) && !text.includes(MARK)) return text
  return text.replaceAll(MARK, `${MARK}1`).replaceAll(NUL, `${MARK}0`)
}

/** Returns the text that {@link encodeText} kept. */
export function decodeText(text: string): string {
  return text.includes(MARK) ? text.replaceAll(`${MARK}0`, NUL).replaceAll(`${MARK}1`, MARK) : text
}
