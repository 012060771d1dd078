// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import { Reply } from '../../endpoint.ts'

/** A file, and what is said of it. */
export interface SentFile {
  readonly bytes: Readable | Buffer
  readonly sizeBytes: number
  readonly contentType: string
  readonly contentDisposition: string
}

/**
 * A file in the form in which servers send each other files: an empty JSON object, then the file.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid
 */
export function multipartReply(boundary: string, file: SentFile): Reply {
  const head = Buffer.from(
    [
      `--${boundary}`,
      'Content-Type: application/json',
      '',
      '{}',
      `--${boundary}`,
      `Content-Type: ${file.contentType}`,
      `Content-Disposition: ${file.contentDisposition}`,
      '',
      '',
    ].join('\r\n'),
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  return new Reply(200, Readable.from(joined(head, file.bytes, tail), { objectMode: false }), {
    'content-type': `multipart/mixed; boundary=${boundary}`,
    'content-length': String(head.length + file.sizeBytes + tail.length),
  })
}

async function* joined(head: Buffer, bytes: Readable | Buffer, tail: Buffer): AsyncGenerator<Uint8Array> {
  yield head
  if (Buffer.isBuffer(bytes)) yield bytes
  else yield* bytes as AsyncIterable<Uint8Array>
  yield tail
}
