// SPDX-License-Identifier: Apache-2.0

/** A range of bytes, both ends included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * Returns the range of a `Range` header; undefined where there is none, or where it is not one single range, and
 * `unsatisfiable` where the file ends before it.
 */
export function byteRangeOf(header: unknown, sizeBytes: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] =
    (typeof header === 'string' && /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(header)) || []
  if (first === '' && last === '') return undefined
  // `-n` is the last n bytes.
  const start = first === '' ? Math.max(0, sizeBytes - Number(last)) : Number(first)
  const end = first === '' || last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1)
  if (first !== '' && last !== '' && Number(last) < start) return undefined
  return start > end ? 'unsatisfiable' : { start, end }
}
