// SPDX-License-Identifier: Apache-2.0
import { endpoint, Reply } from '../endpoint.ts'
import { TextSchema } from '../reply-schemas.ts'

/** Returns the metrics in Prometheus' text format. */
export const metrics = endpoint({
  id: 'metrics',
  method: 'GET',
  path: ['/_synapse/metrics', '/metrics'],
  access: 'none',
  reply: TextSchema,
  replyType: 'text/plain',

  async handle(_, rt) {
    const { contentType, text } = await rt.metrics.expose()
    return new Reply(200, text, { 'content-type': contentType })
  },
})
