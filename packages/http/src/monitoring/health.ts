// SPDX-License-Identifier: Apache-2.0
import { endpoint, Reply } from '../endpoint.ts'
import { TextSchema } from '../reply-schemas.ts'

/** Answers whether this node can serve requests: 200 `OK`, or 503 while the database does not answer. */
export const health = endpoint({
  id: 'health',
  method: 'GET',
  path: '/health',
  access: 'none',
  reply: TextSchema,
  replyType: 'text/plain',

  async handle(_, rt) {
    const isHealthy = await rt.db.isHealthy()
    return new Reply(isHealthy ? 200 : 503, isHealthy ? 'OK' : 'the database does not answer', {
      'content-type': 'text/plain',
    })
  },
})
