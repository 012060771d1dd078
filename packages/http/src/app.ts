// SPDX-License-Identifier: Apache-2.0
import type { Runtime } from '@myelin/services/runtime/runtime'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { AnyEndpoint } from './endpoint.ts'
import { mount } from './mount.ts'

/** What one listener needs to know. */
export interface ListenerSettings {
  /** Take the caller's address from `X-Forwarded-For`. */
  readonly isForwarded: boolean
  readonly maxBodyBytes: number
  readonly tls?: { readonly key: string; readonly cert: string }
}

/** A web server with these endpoints, not listening yet. */
export function buildApp(rt: Runtime, endpoints: readonly AnyEndpoint[], settings: ListenerSettings): FastifyInstance {
  const options = {
    trustProxy: settings.isForwarded,
    bodyLimit: settings.maxBodyBytes,
    // Idle connections close at once, the others after their answer.
    forceCloseConnections: 'idle' as const,
    routerOptions: { maxParamLength: 4096, ignoreTrailingSlash: false },
  }
  const app = (settings.tls ? fastify({ ...options, https: settings.tls }) : fastify(options)) as FastifyInstance
  allowOrigins(app)
  measure(app, rt)
  mount(app, endpoints, rt)
  return app
}

// As the web framework keeps them: on the bare response each would be a call more, and sending them the slow way.
const FOR_BROWSERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers': 'X-Requested-With, Content-Type, Authorization',
}

/**
 * Browsers may call from anywhere; a preflight is answered before anything else looks at it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients
 */
function allowOrigins(app: FastifyInstance): void {
  // Without a promise: this runs for everything.
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers(FOR_BROWSERS)
    if (request.method === 'OPTIONS') void reply.code(204).send()
    else done()
  })
}

function measure(app: FastifyInstance, rt: Runtime): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { endpoint } = request.routeOptions.config as { endpoint?: string }
    rt.metrics.requestAnswered(endpoint ?? 'unrecognized', reply.statusCode, reply.elapsedTime)
    done()
  })
}
