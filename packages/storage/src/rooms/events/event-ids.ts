// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Bytes } from '../../schema/schema.ts'

const HASH_BYTES = 32
const URL_SAFE = /^\$[A-Za-z0-9_-]{43}$/

/** Returns an event id as it is stored: the bare hash where it is one (room version 4 and later), else marked text. */
export function eventIdBytes(id: EventId): Bytes {
  if (URL_SAFE.test(id)) {
    const hash = Buffer.from(id.slice(1), 'base64url')
    if (`$${hash.toString('base64url')}` === id) return hash
  }
  const text = Buffer.from(id)
  // The mark keeps text apart from hashes; one zero more where the length alone would not.
  return Buffer.concat([Buffer.alloc(text.length + 1 === HASH_BYTES ? 2 : 1), text])
}

/** Returns the event id that was stored. */
export function eventIdOf(bytes: Bytes): EventId {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer.length === HASH_BYTES) return `$${buffer.toString('base64url')}` as EventId
  return buffer.subarray(buffer[1] === 0 ? 2 : 1).toString() as EventId
}
