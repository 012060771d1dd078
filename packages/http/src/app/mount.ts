// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import type { DoneFuncWithErrOrRes, FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { MAX_BODY_BYTES } from '../body-sizes.ts'
import { DisconnectSignals } from '../disconnect-signals.ts'
import type { AnyEndpoint } from '../endpoint.ts'
import { sendError, sendUnrecognized } from './error-replies.ts'
import { routeHandlers } from './route-handlers.ts'
import type { RouteContext } from './route-handlers.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'] as const
const CLIENT_V3 = '/_matrix/client/v3/'

// Unknown scopes and attributes of push rules are 400 as unknown kinds are, like in Synapse: clients probe for them.
const PUSH_RULES = /^\/_matrix\/client\/(?:v3|r0)\/pushrules\//

/** Routes every endpoint. Only this file and its neighbors know the web framework. */
export function mount(
  app: FastifyInstance,
  endpoints: readonly AnyEndpoint[],
  listener: Omit<RouteContext, 'disconnects'>,
): void {
  const context = { ...listener, disconnects: new DisconnectSignals() }
  const { rt } = listener
  // Long polls are answered before the listener closes.
  app.addHook('preClose', async () => context.disconnects.abort())
  app.setErrorHandler((error, request, reply) => sendError(error, request, reply, rt))
  // Without parsers, the body of a request to an unknown path is not read.
  app.removeAllContentTypeParsers()
  app.setNotFoundHandler((request, reply) => sendUnrecognized(reply, PUSH_RULES.test(request.url) ? 400 : 404))
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
    for (const endpoint of endpoints) if (!endpoint.bodyIsRaw) route(scope, endpoint, context)
  })
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', async (_: FastifyRequest, payload: Readable) => payload)
    for (const endpoint of endpoints) if (endpoint.bodyIsRaw) route(scope, endpoint, context)
  })
  void app.register(async (scope) => refuseOtherMethods(scope, endpoints))
}

/** Returns every path an endpoint is served at. */
export function pathsOf(endpoint: Pick<AnyEndpoint, 'path'>): string[] {
  const paths = typeof endpoint.path === 'string' ? [endpoint.path] : endpoint.path
  return paths.flatMap((path) =>
    path.startsWith(CLIENT_V3) ? [path, path.replace(CLIENT_V3, '/_matrix/client/r0/')] : [path],
  )
}

/** Returns the methods of an endpoint's routes: HEAD is answered wherever GET is. */
function methodsOf({ method }: AnyEndpoint): HTTPMethods[] {
  return method === 'GET' ? ['GET', 'HEAD'] : [method]
}

function route(app: FastifyInstance, endpoint: AnyEndpoint, context: RouteContext): void {
  const handlers = routeHandlers(endpoint, context)
  for (const [url, method] of pathsOf(endpoint).flatMap((path) =>
    methodsOf(endpoint).map((name) => [path, name] as const),
  )) {
    app.route({
      method,
      url,
      // Node leaves out the body of a reply to HEAD; a stream would be read for nothing.
      ...(method === 'HEAD' ? { onSend: dropStream } : {}),
      exposeHeadRoute: false,
      config: { endpoint },
      bodyLimit: Math.min(endpoint.maxBodyBytes ?? MAX_BODY_BYTES.small, context.maxBodyBytes),
      ...handlers,
    })
  }
}

function dropStream(_: FastifyRequest, __: FastifyReply, payload: unknown, done: DoneFuncWithErrOrRes): void {
  if (!(payload instanceof Readable)) return done(null, payload)
  payload.destroy()
  done(null, null)
}

/** Answers 405 to another method of a known path, before authentication. */
function refuseOtherMethods(app: FastifyInstance, endpoints: readonly AnyEndpoint[]): void {
  const taken = new Map<string, Set<string>>()
  for (const endpoint of endpoints) {
    for (const path of pathsOf(endpoint)) {
      const shape = path.replace(/:[^/]+/g, ':')
      const methods = taken.get(shape) ?? new Set()
      for (const method of methodsOf(endpoint)) methods.add(method)
      taken.set(shape, methods)
    }
  }
  const done = new Set<string>()
  for (const path of endpoints.flatMap(pathsOf)) {
    const shape = path.replace(/:[^/]+/g, ':')
    if (done.has(shape)) continue
    done.add(shape)
    const method = METHODS.filter((name) => !taken.get(shape)?.has(name))
    app.route({
      method,
      url: path,
      exposeHeadRoute: false,
      onRequest: (_, reply) => sendUnrecognized(reply, 405),
      handler: async () => {},
    })
  }
}
