// SPDX-License-Identifier: Apache-2.0
import { endpoint, Reply } from '../endpoint.ts'
import { TextSchema } from '../reply-schemas.ts'

/** Answers whether this node can serve requests: 200 `OK`, or 503 with the part that fails, the database or the media store. */
export const health = endpoint({
  id: 'health',
  method: 'GET',
  path: '/health',
  access: 'none',
  reply: TextSchema,
  replyType: 'text/plain',

  async handle(_, rt) {
    const outage = (await rt.db.outage()) ?? (await rt.blobs.outage())
    return new Reply(outage === undefined ? 200 : 503, outage ?? 'OK', { 'content-type': 'text/plain' })
  },
})
