// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { JsonObject } from '@myelin/matrix/json'
import { outageOf } from '@myelin/services/runtime/outage'
import type { Runtime } from '@myelin/services/runtime/runtime'
import { AuthenticationNeeded } from '@myelin/services/standing/user-interactive-auth'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { inRequestContext } from './request-id.ts'

/** Sends the error that a handler threw: a `MatrixError` as it is, everything else as 500 `M_UNKNOWN`, logged once. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply, rt: Runtime): void {
  if (error instanceof AuthenticationNeeded) return send(reply, 401, error.body)
  const outage = outageOf(error)
  if (outage !== undefined) {
    const { cause = error } = error as Error
    // Without a stack: the cause is outside, and there may be many.
    const fields = { cause: String(cause), method: request.method, endpoint: request.routeOptions.url }
    inRequestContext(request, () => rt.log.warn(fields, `request failed: ${outage}`))
    void reply.header('retry-after', RETRY_AFTER_S)
    return send(reply, 503, new MatrixError('M_UNKNOWN', outage).toBody())
  }
  const known = error instanceof MatrixError ? error : frameworkError(error)
  if (!known) {
    const fields = { err: error, method: request.method, endpoint: request.routeOptions.url }
    inRequestContext(request, () => rt.log.error(fields, 'request failed'))
    return send(reply, 500, new MatrixError('M_UNKNOWN', 'internal server error').toBody())
  }
  const retryAfterMs = known.extra['retry_after_ms']
  if (known.code === 'M_LIMIT_EXCEEDED' && typeof retryAfterMs === 'number') {
    void reply.header('retry-after', String(Math.ceil(retryAfterMs / 1000)))
  }
  send(reply, known.status, known.toBody())
}

/** Sends 404 for an unknown path (400 below push rules), 405 for an unknown method of a known one. */
export function sendUnrecognized(reply: FastifyReply, status: 400 | 404 | 405): void {
  const message = status === 405 ? 'method not allowed' : 'unrecognized request'
  send(reply, status, new MatrixError('M_UNRECOGNIZED', message).toBody())
}

/** Sends 503 `M_UNKNOWN` for a request that came when the server had begun to close. */
export function sendClosing(reply: FastifyReply): void {
  void reply.header('retry-after', RETRY_AFTER_S)
  send(reply, 503, new MatrixError('M_UNKNOWN', 'the server is shutting down').toBody())
}

function send(reply: FastifyReply, status: number, body: JsonObject): void {
  // As bytes, because the framework adds a character set to the type of JSON in a string.
  void reply
    .code(status)
    .header('content-type', 'application/json')
    .send(Buffer.from(JSON.stringify(body)))
}

const RETRY_AFTER_S = '5'

// The SQLSTATE of text that a database cannot store, because it contains a NUL character.
const UNSTORABLE_TEXT = '22021'

/** Returns the error of the spec for what the web framework or the database refused; undefined for a bug. */
function frameworkError(error: unknown): MatrixError | undefined {
  const { statusCode, code } = error as { statusCode?: number; code?: string }
  if (code === UNSTORABLE_TEXT) return new MatrixError('M_INVALID_PARAM', 'text must not contain NUL characters')
  if (statusCode === 413) return new MatrixError('M_TOO_LARGE', 'the request body is too large')
  if (code === 'FST_ERR_MAX_PARAM_LENGTH') {
    return new MatrixError('M_INVALID_PARAM', 'a part of the path is too long', { status: 414 })
  }
  if (code === 'FST_ERR_BAD_URL') return new MatrixError('M_INVALID_PARAM', 'the path is not a valid URL path')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new MatrixError('M_UNKNOWN', 'the request is not valid HTTP', { status: statusCode })
  }
  return undefined
}
