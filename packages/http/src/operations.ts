// SPDX-License-Identifier: Apache-2.0
import { endpoint, Reply } from './endpoint.ts'

/** Whether this node can serve: 200 `OK`, or 503 while the database does not answer. */
export const health = endpoint({
  id: 'health',
  method: 'GET',
  path: '/health',
  access: 'none',
  async handle(_, rt) {
    const isHealthy = await rt.db.isHealthy()
    return new Reply(isHealthy ? 200 : 503, isHealthy ? 'OK' : 'the database does not answer', {
      'content-type': 'text/plain',
    })
  },
})

/** What Prometheus scrapes. */
export const metrics = endpoint({
  id: 'metrics',
  method: 'GET',
  path: ['/_synapse/metrics', '/metrics'],
  access: 'none',
  async handle(_, rt) {
    const { contentType, text } = await rt.metrics.expose()
    return new Reply(200, text, { 'content-type': contentType })
  },
})
