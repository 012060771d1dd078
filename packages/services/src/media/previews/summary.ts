// SPDX-License-Identifier: Apache-2.0

const ENOUGH = 200
const MAX = 500

/**
 * Returns the first paragraphs of a text, until they have 200 characters together. Above 500 characters it ends with the last whole
 * word and an ellipsis. Undefined if there is no text.
 */
export function summaryOf(paragraphs: readonly string[]): string | undefined {
  let text = ''
  for (const paragraph of paragraphs) {
    if (text.length >= ENOUGH) break
    const words = collapse(paragraph)
    if (words !== '') text = text === '' ? words : `${text}\n\n${words}`
  }
  if (text === '') return undefined
  return text.length > MAX ? shortened(text) : text
}

/** Returns a text with each run of white space as one space, and none at its ends. */
export function collapse(text: string): string {
  return text
    .split(/\s+/u)
    .filter((word) => word !== '')
    .join(' ')
}

function shortened(text: string): string {
  const cut = text.slice(0, MAX)
  const space = Math.max(cut.lastIndexOf(' '), cut.lastIndexOf('\n'))
  // A single very long word is cut within; never inside a surrogate pair.
  const end = space > ENOUGH ? space : isHighSurrogate(cut.charCodeAt(MAX - 1)) ? MAX - 1 : MAX
  return `${cut.slice(0, end).trimEnd()}…`
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff
}
