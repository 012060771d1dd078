// SPDX-License-Identifier: Apache-2.0
import type { Runtime } from '@myelin/services/runtime/runtime'
import fastify from 'fastify'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { checkReplies } from './check-replies.ts'
import { CORS_HEADERS } from '../cors-headers.ts'
import type { AnyEndpoint } from '../endpoint.ts'
import { sendClosing, sendError } from './error-replies.ts'
import { malformedRequest, refuseMalformed } from '../request/malformed-request.ts'
import { mount } from './mount.ts'
import { inRequestContext, REQUEST_ID_HEADER, requestIds } from './request-id.ts'

/** The settings of one listener. */
export interface ListenerSettings {
  /** The client's address is taken from `X-Forwarded-For`. */
  readonly isForwarded: boolean
  readonly maxBodyBytes: number
  readonly tls?: { readonly key: string; readonly cert: string }
  /** Switches on a check of every reply against its schema, and is called with each mismatch. For tests: it costs time. */
  readonly onReplyMismatch?: (message: string) => void
}

/** Returns a web server with these endpoints; it does not listen yet. */
export function buildApp(rt: Runtime, endpoints: readonly AnyEndpoint[], settings: ListenerSettings): FastifyInstance {
  const options = {
    bodyLimit: settings.maxBodyBytes,
    // On close, idle connections end at once, the others after their reply.
    forceCloseConnections: 'idle' as const,
    // The framework's own reply has neither an `errcode` nor CORS headers.
    return503OnClosing: false,
    routerOptions: { maxParamLength: 4096, ignoreTrailingSlash: false },
    requestIdHeader: false as const,
    genReqId: requestIds(rt.random),
    clientErrorHandler: refuseMalformed,
    // Checked by a hook: Node's own refusal is without CORS headers and `errcode`.
    http: { requireHostHeader: false },
    // Requests whose path cannot be decoded or is too long; no hook runs for them.
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
      setCommonHeaders(request, reply)
      sendError(error, request, reply, rt)
    },
  }
  const https = settings.tls && { ...settings.tls, ...options.http }
  const app = (https ? fastify({ ...options, https }) : fastify(options)) as FastifyInstance
  // An unknown expectation is ignored (RFC 9110, section 10.1.1).
  app.server.on('checkExpectation', (request, response) => app.routing(request, response))
  answerPreflights(app)
  countRequests(app, rt)
  if (settings.onReplyMismatch) checkReplies(app, settings.onReplyMismatch)
  mount(app, endpoints, { rt, isForwarded: settings.isForwarded, maxBodyBytes: settings.maxBodyBytes })
  return app
}

function setCommonHeaders(request: FastifyRequest, reply: FastifyReply): void {
  // Set on Fastify's reply: headers set on the raw response cost a call each, and are sent on a slower path.
  void reply.headers(CORS_HEADERS).header(REQUEST_ID_HEADER, request.id)
}

/**
 * Sets the CORS headers and the request id of every reply; answers a preflight request, and each request once the server
 * closes, before anything else reads it.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients
 */
function answerPreflights(app: FastifyInstance): void {
  let isClosing = false
  app.addHook('preClose', (done) => {
    isClosing = true
    done()
  })
  // With a callback instead of a promise, because every request passes here.
  app.addHook('onRequest', (request, reply, done) => {
    setCommonHeaders(request, reply)
    ignoreBadContentType(request)
    if (request.method === 'OPTIONS') void reply.code(204).send()
    else if (isClosing) sendClosing(reply)
    // Each later step of a request without a body is in its context, too.
    else inRequestContext(request, () => done(lacksHost(request) ? malformedRequest(400) : undefined))
  })
}

/** Returns whether a request lacks the header that HTTP/1.1 requires (RFC 9112, section 3.2). */
function lacksHost({ raw, headers }: FastifyRequest): boolean {
  return raw.httpVersion === '1.1' && headers.host === undefined
}

const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(?:;|$)/

/** Takes a `Content-Type` that is not of the form type/subtype as that of unknown bytes; the framework would refuse it. */
function ignoreBadContentType({ headers }: FastifyRequest): void {
  const type = headers['content-type']
  if (type !== undefined && !MEDIA_TYPE.test(type)) headers['content-type'] = 'application/octet-stream'
}

function countRequests(app: FastifyInstance, rt: Runtime): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { endpoint } = request.routeOptions.config as { endpoint?: AnyEndpoint }
    rt.metrics.requestAnswered(endpoint?.id ?? 'unrecognized', reply.statusCode, reply.elapsedTime)
    done()
  })
}
