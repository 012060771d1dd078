// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { JsonObject } from '@myelin/matrix/json'
import type { Runtime } from '@myelin/services/runtime/runtime'
import { AuthenticationNeeded } from '@myelin/services/standing/user-interactive-auth'
import type { FastifyReply, FastifyRequest } from 'fastify'

/** Answers what a handler threw: what the caller may read as it is, everything else as 500 `M_UNKNOWN`, logged once. */
export function answerFailure(error: unknown, request: FastifyRequest, reply: FastifyReply, rt: Runtime): void {
  if (error instanceof AuthenticationNeeded) return send(reply, 401, error.body)
  const known = error instanceof MatrixError ? error : frameworkFailure(error)
  if (!known) {
    rt.log.error({ err: error, method: request.method, endpoint: request.routeOptions.url }, 'request failed')
    return send(reply, 500, new MatrixError('M_UNKNOWN', 'internal server error').toBody())
  }
  const retryAfterMs = known.extra['retry_after_ms']
  if (known.code === 'M_LIMIT_EXCEEDED' && typeof retryAfterMs === 'number') {
    void reply.header('retry-after', String(Math.ceil(retryAfterMs / 1000)))
  }
  send(reply, known.status, known.toBody())
}

/** Answers 404 for an unknown path and 405 for a wrong method. */
export function unrecognized(reply: FastifyReply, status: 404 | 405): void {
  send(
    reply,
    status,
    new MatrixError('M_UNRECOGNIZED', status === 404 ? 'unrecognized request' : 'method not allowed').toBody(),
  )
}

function send(reply: FastifyReply, status: number, body: JsonObject): void {
  void reply.code(status).header('content-type', 'application/json').send(JSON.stringify(body))
}

// What a database says of text it cannot hold, which is text with a NUL in it.
const UNSTORABLE_TEXT = '22021'

/** What the web framework refuses before a handler runs, and what storage cannot take, in the spec's words. */
function frameworkFailure(error: unknown): MatrixError | undefined {
  const { statusCode, code } = error as { statusCode?: number; code?: string }
  if (code === UNSTORABLE_TEXT) return new MatrixError('M_INVALID_PARAM', 'text may not hold NUL')
  if (statusCode === 413) return new MatrixError('M_TOO_LARGE', 'the request is too large')
  if (code === 'FST_ERR_BAD_URL') return new MatrixError('M_INVALID_PARAM', 'the path is not valid')
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new MatrixError('M_UNKNOWN', 'the request is not valid', { status: statusCode })
  }
  return undefined
}
