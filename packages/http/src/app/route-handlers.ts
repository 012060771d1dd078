// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import { encodeJson, isLongJson, jsonChunks } from '@myelin/kit/raw-json'
import type { ServerName } from '@myelin/matrix/ids'
import type { Json } from '@myelin/matrix/json'
import type { Runtime } from '@myelin/services/runtime/runtime'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { anonymous, authenticate, requesterIn } from '../authenticate.ts'
import { addressOf } from '../request/client-address.ts'
import type { DisconnectSignals } from '../disconnect-signals.ts'
import type { AnyEndpoint } from '../endpoint.ts'
import { Reply } from '../endpoint.ts'
import { HandlerRequest } from '../request/handler-request.ts'
import { masqueradeCheck } from '../request/masquerade.ts'
import { hasNoBody, jsonBodyOf } from '../request/body.ts'
import { requestReader } from '../request/reader.ts'
import { inRequestContext } from './request-id.ts'
import { checkServerHeaders, originOf } from '../request/origin.ts'

/** The parts that all routes of a listener share. */
export interface RouteContext {
  readonly rt: Runtime
  readonly disconnects: DisconnectSignals
  /** The client's address is taken from `X-Forwarded-For`. */
  readonly isForwarded: boolean
  /** The listener's limit of request bodies. */
  readonly maxBodyBytes: number
}

type Handlers = Pick<RouteOptions, 'onRequest' | 'handler'>

// The origin of a request that no server signed.
const NO_ORIGIN = '' as ServerName

/** Returns what the web framework calls for an endpoint. `onRequest` authenticates, before the body is read. */
export function routeHandlers(endpoint: AnyEndpoint, context: RouteContext): Handlers {
  const bare = endpoint.access === 'server' ? serverHandlers(endpoint, context) : clientHandlers(endpoint, context)
  return {
    onRequest: (request) => bare.onRequest(request),
    // A body is received from outside the request's context.
    handler: (request, reply) => inRequestContext(request, () => bare.handler(request, reply)),
  }
}

interface BareHandlers {
  onRequest(request: FastifyRequest): Promise<void>
  handler(request: FastifyRequest, reply: FastifyReply): Promise<unknown>
}

function clientHandlers(endpoint: AnyEndpoint, context: RouteContext): BareHandlers {
  const { rt, isForwarded } = context
  const read = requestReader(endpoint)
  const checkMasquerade = masqueradeCheck(endpoint)
  return {
    onRequest: async (request) => {
      await authenticate(rt, request, { access: endpoint.access, address: addressOf(request, isForwarded) })
      const requester = requesterIn(request)
      if (requester !== anonymous) checkMasquerade(request, requester)
    },
    handler: async (request, reply) => {
      const requester = requesterIn(request)
      // Awaited only where it is a promise, since every short request passes here.
      const reading = read(request)
      const body = reading instanceof Promise ? await reading : reading
      const input = new HandlerRequest(request, reply, body, { requester, origin: NO_ORIGIN }, context)
      const result = await endpoint.handle(input as never, rt)
      if (endpoint.marksActive) rt.presence.recordActivity(requester)
      return encoded(reply, result)
    },
  }
}

function serverHandlers(endpoint: AnyEndpoint, context: RouteContext): BareHandlers {
  const { rt } = context
  const read = requestReader(endpoint)
  return {
    onRequest: async (request) => checkServerHeaders(rt, request),
    handler: async (request, reply) => {
      const content = await signedContent(request)
      const origin = await originOf(rt, request, content)
      const caller = { requester: anonymous, origin }
      const input = new HandlerRequest(request, reply, await read(request, content), caller, context)
      const handle = () => endpoint.handle(input as never, rt)
      return encoded(reply, await (endpoint.limitsItself ? handle() : rt.limits.ofServer(origin, handle)))
    },
  }
}

/** Returns the content a server's signature covers: numbers keep their spelling, and an absent body is not `{}`. */
async function signedContent(request: FastifyRequest): Promise<Json | undefined> {
  return hasNoBody(request) ? undefined : jsonBodyOf(request, { keepNumbers: true })
}

/** Sets the status and headers of a handler's result and returns its encoded body, which the framework sends. */
function encoded(reply: FastifyReply, result: unknown): unknown {
  const isWhole = result instanceof Reply
  if (isWhole) void reply.code(result.status).headers(result.headers)
  const body: unknown = isWhole ? result.body : result
  if (isWhole && isBytes(body)) return body
  void reply.header('content-type', 'application/json').serializer(asItIs)
  // A long one is encoded while it is sent, so that nobody waits for it, and its bytes are not all in memory.
  return isLongJson(body) ? Readable.from(jsonChunks(body), { objectMode: false }) : encodeJson(body)
}

/** The framework adds a character set to the type of JSON in a string, unless it is told how to serialize it. */
const asItIs = (text: string): string => text

function isBytes(body: unknown): boolean {
  return (
    body instanceof Uint8Array ||
    typeof body === 'string' ||
    (typeof body === 'object' && body !== null && 'pipe' in body)
  )
}
