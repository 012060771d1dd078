// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream'
import { inSteps } from '@myelin/kit/in-steps'
import { encodeJson } from '@myelin/kit/raw-json'
import type { ServerName } from '@myelin/matrix/ids'
import type { Json } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { LONG_JSON, parseLongJson } from '@myelin/matrix/parse-long-json'
import type { Runtime } from '@myelin/services/runtime/runtime'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { authenticate, nobody, requesterIn } from './authenticate.ts'
import { Departures } from './departures.ts'
import type { AnyEndpoint } from './endpoint.ts'
import { Reply } from './endpoint.ts'
import { answerFailure, unrecognized } from './failures.ts'
import { IncomingCall } from './incoming-call.ts'
import type { ReadBody } from './incoming-call.ts'
import { checkServerHeaders, originOf } from './request-origin.ts'
import { bodyCheck, parameterCheck } from './validation.ts'

const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH'] as const
const CLIENT_V3 = '/_matrix/client/v3/'

/** Routes every endpoint. Only this file and its neighbors know the web framework. */
export function mount(app: FastifyInstance, endpoints: readonly AnyEndpoint[], rt: Runtime): void {
  // Who waits is answered before the doors close.
  const closing = new Departures()
  app.addHook('preClose', async () => closing.abort())
  app.setErrorHandler((error, request, reply) => answerFailure(error, request, reply, rt))
  app.setNotFoundHandler((_, reply) => unrecognized(reply, 404))
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body))
    for (const endpoint of endpoints) if (!endpoint.bodyIsRaw) route(scope, endpoint, { rt, closing })
  })
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', async (_: FastifyRequest, payload: Readable) => payload)
    for (const endpoint of endpoints) if (endpoint.bodyIsRaw) route(scope, endpoint, { rt, closing })
  })
  void app.register(async (scope) => refuseOtherMethods(scope, endpoints))
}

/** Every path an endpoint is served at. */
export function pathsOf(endpoint: Pick<AnyEndpoint, 'path'>): string[] {
  const paths = typeof endpoint.path === 'string' ? [endpoint.path] : endpoint.path
  return paths.flatMap((path) =>
    path.startsWith(CLIENT_V3) ? [path, path.replace(CLIENT_V3, '/_matrix/client/r0/')] : [path],
  )
}

type House = { readonly rt: Runtime; readonly closing: Departures }
type Doors = Pick<RouteOptions, 'onRequest' | 'handler'>
// The origin of what no server signed.
const unnamed = '' as ServerName

function route(app: FastifyInstance, endpoint: AnyEndpoint, house: House): void {
  const doors = endpoint.access === 'server' ? doorsForServers(endpoint, house) : doorsForClients(endpoint, house)
  for (const url of pathsOf(endpoint)) {
    app.route({
      method: endpoint.method,
      url,
      exposeHeadRoute: false,
      config: { endpoint: endpoint.id },
      ...(endpoint.maxBodyBytes === undefined ? {} : { bodyLimit: endpoint.maxBodyBytes }),
      // `onRequest` comes before the body is even read: who asks comes first.
      ...doors,
    })
  }
}

function doorsForClients(endpoint: AnyEndpoint, { rt, closing }: House): Doors {
  const read = reader(endpoint)
  return {
    onRequest: (request) => authenticate(rt, request, endpoint.access),
    handler: async (request, reply) => {
      const requester = requesterIn(request)
      const call = new IncomingCall(request, reply, read(request), { requester, origin: unnamed }, closing)
      const result = await endpoint.handle(call as never, rt)
      if (endpoint.isAct) rt.presence.acts(requester)
      return answer(reply, result)
    },
  }
}

function doorsForServers(endpoint: AnyEndpoint, { rt, closing }: House): Doors {
  const read = reader(endpoint)
  return {
    onRequest: async (request) => checkServerHeaders(rt, request),
    handler: async (request, reply) => {
      const content = await signedContent(request)
      const origin = await originOf(rt, request, content)
      const call = new IncomingCall(request, reply, read(request, content), { requester: nobody, origin }, closing)
      const handle = () => endpoint.handle(call as never, rt)
      return answer(reply, await (endpoint.pacesItself ? handle() : rt.limits.ofServer(origin, handle)))
    },
  }
}

/** What a server's signature covers: numbers keep their spelling, and no body is not the same as `{}`. */
async function signedContent({ body }: FastifyRequest): Promise<Json | undefined> {
  if (typeof body !== 'string' || body === '') return undefined
  if (body.length < LONG_JSON) return parseJson(body, { keepNumbers: true })
  return inSteps(parseLongJson(body, { keepNumbers: true }))
}

/** Checks what came against the endpoint's schemas and reads the body, or takes it as it was read for its signature. */
function reader(endpoint: AnyEndpoint): (request: FastifyRequest, content?: Json) => ReadBody {
  const checkParams = endpoint.params && parameterCheck(endpoint.params)
  const checkQuery = endpoint.query && parameterCheck(endpoint.query)
  const readBody = bodyReader(endpoint)
  return (request, content) => {
    checkParams?.(request.params)
    checkQuery?.(request.query)
    return readBody(request, content)
  }
}

function bodyReader(endpoint: AnyEndpoint): (request: FastifyRequest, content: Json | undefined) => ReadBody {
  if (endpoint.bodyIsRaw) return (request) => ({ stream: (request.body as Readable | null) ?? request.raw })
  if (!endpoint.body) return () => ({})
  const check = bodyCheck(endpoint.body)
  return (request, content) => {
    const text = typeof request.body === 'string' ? request.body : ''
    if (text === '' && endpoint.bodyMayBeAbsent) return { body: {}, bodyText: '{}' }
    const body = content ?? parseJson(text, { strictNumbers: endpoint.bodyIsCanonical ?? false })
    check(body)
    return { body, bodyText: text }
  }
}

/** What the reply says: its status and headers are set, its body is returned. Sending it is left to the framework. */
function answer(reply: FastifyReply, result: unknown): unknown {
  const isWhole = result instanceof Reply
  if (isWhole) void reply.code(result.status).headers(result.headers)
  const body = isWhole ? result.body : result
  if (isWhole && isBytes(body)) return body
  void reply.header('content-type', 'application/json')
  return encodeJson(body)
}

function isBytes(body: unknown): boolean {
  return (
    body instanceof Uint8Array ||
    typeof body === 'string' ||
    (typeof body === 'object' && body !== null && 'pipe' in body)
  )
}

/** A known path with another method is 405, before authentication. */
function refuseOtherMethods(app: FastifyInstance, endpoints: readonly AnyEndpoint[]): void {
  const taken = new Map<string, Set<string>>()
  for (const endpoint of endpoints) {
    for (const path of pathsOf(endpoint)) {
      const shape = path.replace(/:[^/]+/g, ':')
      const methods = taken.get(shape) ?? new Set()
      taken.set(shape, methods.add(endpoint.method))
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
      onRequest: (_, reply) => unrecognized(reply, 405),
      handler: async () => {},
    })
  }
}
