// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import type { Random } from '@myelin/kit/random'
import { Reply } from '../../endpoint.ts'
import { BytesSchema } from '../../reply-schemas.ts'

const BOUNDARY_CHARACTERS = 32

/** A file and its headers. */
export interface SentFile {
  readonly bytes: Readable | Buffer
  readonly sizeBytes: number
  readonly contentType: string
  readonly contentDisposition: string
}

/** The part of the contract that describes a {@link multipartReply}. */
export const multipartContract = { reply: BytesSchema, replyType: 'multipart/mixed' }

/**
 * Returns the reply with a file in the format of federation: an empty JSON object, then the file.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1mediadownloadmediaid
 */
export function multipartReply(random: Random, file: SentFile): Reply<Readable> {
  const boundary = random.token(BOUNDARY_CHARACTERS)
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
