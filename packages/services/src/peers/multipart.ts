// SPDX-License-Identifier: Apache-2.0
import { RemoteError } from '@myelin/remote/remote-error'

/** A part of a multipart message: header names are lower-case, and its bytes are streamed. */
export interface Part {
  readonly headers: ReadonlyMap<string, string>
  readonly bytes: AsyncIterable<Uint8Array>
  /** Closes the stream where the bytes are not wanted. */
  readonly close: () => Promise<void>
}

const MAX_LINE = 16 * 1024
const MAX_HEADERS = 50
const MAX_FIRST_PART = 64 * 1024

/** Returns the boundary in a `Content-Type`, quoted or not; undefined where it is no multipart message. */
export function boundaryOf(contentType: string): string | undefined {
  if (!/^\s*multipart\/mixed\s*(?:;|$)/i.test(contentType)) return undefined
  const [, quoted, bare] = /;\s*boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))/i.exec(contentType) ?? []
  return quoted ?? bare
}

/**
 * Returns the second part of a multipart message as a stream and skips the first. Lines may end in CR LF or in LF, as
 * the first one does.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid
 */
export async function secondPart(body: AsyncIterable<Uint8Array>, boundary: string): Promise<Part> {
  const reader = new Reader(body)
  try {
    const delimiter = await pastFirstPart(reader, `--${boundary}`)
    const headers = await headersFrom(reader)
    return { headers, bytes: rest(reader, delimiter), close: () => reader.close() }
  } catch (cause) {
    await reader.close()
    throw cause
  }
}

async function pastFirstPart(reader: Reader, opening: string): Promise<Buffer> {
  let line = await reader.line()
  for (let skipped = 0; line.text.trimEnd() !== opening; skipped++) {
    if (skipped === MAX_HEADERS) throw malformed('has no first boundary')
    line = await reader.line()
  }
  const delimiter = Buffer.from(`${line.ending}${opening}`, 'latin1')
  await headersFrom(reader)
  let size = 0
  for await (const chunk of reader.until(delimiter)) {
    size += chunk.length
    if (size > MAX_FIRST_PART) throw malformed('has too long a first part')
  }
  if ((await reader.line()).text.trim() !== '') throw malformed('has no second part')
  return delimiter
}

async function* rest(reader: Reader, delimiter: Buffer): AsyncGenerator<Uint8Array> {
  try {
    yield* reader.until(delimiter)
  } finally {
    await reader.close()
  }
}

async function headersFrom(reader: Reader): Promise<Map<string, string>> {
  const headers = new Map<string, string>()
  for (let count = 0; count <= MAX_HEADERS; count++) {
    const { text } = await reader.line()
    if (text === '') return headers
    const colon = text.indexOf(':')
    if (colon > 0) headers.set(text.slice(0, colon).trim().toLowerCase(), text.slice(colon + 1).trim())
  }
  throw malformed('has too many headers')
}

/** Reads a stream in lines or up to a delimiter. */
class Reader {
  readonly #source: AsyncIterator<Uint8Array>
  #held: Buffer = Buffer.alloc(0)

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** Returns the next line without its ending, and the ending. */
  async line(): Promise<{ readonly text: string; readonly ending: string }> {
    let end = this.#held.indexOf(0x0a)
    while (end === -1) {
      if (this.#held.length > MAX_LINE) throw malformed('has too long a line')
      if (!(await this.#more())) throw malformed('is truncated')
      end = this.#held.indexOf(0x0a)
    }
    const isCrLf = end > 0 && this.#held[end - 1] === 0x0d
    const text = this.#held.subarray(0, isCrLf ? end - 1 : end).toString('utf8')
    this.#held = this.#held.subarray(end + 1)
    return { text, ending: isCrLf ? '\r\n' : '\n' }
  }

  /** Yields everything up to a delimiter, and skips it. */
  async *until(delimiter: Buffer): AsyncGenerator<Uint8Array> {
    // An empty part has its delimiter directly after the line that ended its headers.
    const bare = delimiter.subarray(delimiter.indexOf('--'))
    while (this.#held.length < bare.length && (await this.#more())) continue
    if (this.#held.subarray(0, bare.length).equals(bare)) return this.#drop(bare.length)
    for (;;) {
      const at = this.#held.indexOf(delimiter)
      // Bytes that may begin the delimiter stay in the buffer.
      const sure = at === -1 ? Math.max(0, this.#held.length - delimiter.length + 1) : at
      const chunk = this.#held.subarray(0, sure)
      this.#drop(at === -1 ? sure : at + delimiter.length)
      if (chunk.length > 0) yield chunk
      if (at !== -1) return
      if (!(await this.#more())) throw malformed('is truncated')
    }
  }

  /** Closes the stream, so that the sender stops. */
  async close(): Promise<void> {
    await this.#source.return?.()
  }

  #drop(count: number): void {
    this.#held = this.#held.subarray(count)
  }

  async #more(): Promise<boolean> {
    const next = await this.#source.next()
    if (next.done === true) return false
    this.#held = this.#held.length === 0 ? Buffer.from(next.value) : Buffer.concat([this.#held, next.value])
    return true
  }
}

function malformed(what: string): RemoteError {
  return new RemoteError('malformed', `a multipart message ${what}`)
}
