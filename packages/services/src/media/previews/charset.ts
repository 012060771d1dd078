// SPDX-License-Identifier: Apache-2.0

/** The bytes that are tested for being UTF-8. */
const SAMPLE = 64 * 1024

const MARKS: readonly (readonly [encoding: string, bytes: readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16be', [0xfe, 0xff]],
  ['utf-16le', [0xff, 0xfe]],
]

/**
 * Returns the encoding of a page: by its byte order mark, by its server, by its own word, else UTF-8 if its beginning is that, else
 * windows-1252.
 *
 * @param said the charset that the server named
 * @param ownWord reads the charset that the page itself names
 * @see https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
 */
export async function encodingOf(
  bytes: Uint8Array,
  said: string | undefined,
  ownWord: (start: Uint8Array) => Promise<string | undefined>,
): Promise<string> {
  const marked = MARKS.find(([, mark]) => mark.every((byte, at) => bytes[at] === byte))
  if (marked) return marked[0]
  const known = knownEncoding(said)
  if (known !== undefined) return known
  const own = knownEncoding(await ownWord(bytes))
  // A page whose own word could be read is not UTF-16.
  if (own !== undefined) return own.startsWith('utf-16') ? 'utf-8' : own
  return isUtf8(bytes.subarray(0, SAMPLE)) ? 'utf-8' : 'windows-1252'
}

function knownEncoding(label: string | undefined): string | undefined {
  if (label === undefined) return undefined
  try {
    return new TextDecoder(label).encoding
  } catch (cause) {
    if (cause instanceof RangeError) return undefined
    throw cause
  }
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    // As a stream, so that a character may be cut at the end.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}
