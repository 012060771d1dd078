// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { Json } from '@myelin/matrix/json'
import { authenticateContent, serverAuthorizations } from '@myelin/services/peers/trust/authenticate-server'
import type { Runtime } from '@myelin/services/runtime/runtime'
import type { FastifyRequest } from 'fastify'

/**
 * Checks the `Authorization` headers of another server before the body is read.
 *
 * @throws MatrixError `M_UNAUTHORIZED` without a valid X-Matrix header for this server
 */
export function checkServerHeaders(rt: Runtime, request: FastifyRequest): void {
  serverAuthorizations(rt, authorizationOf(request))
}

/**
 * Returns the server that signed a request; `content` is the parsed body, undefined where there was none.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export function originOf(rt: Runtime, request: FastifyRequest, content: Json | undefined): Promise<ServerName> {
  const { method, originalUrl: target, body } = request
  const length = Buffer.isBuffer(body) ? { length: body.length } : {}
  return authenticateContent(rt, { method, target, authorization: authorizationOf(request), content, ...length })
}

/** Returns every `Authorization` header; `request.headers` has only the first. */
function authorizationOf({ raw: { rawHeaders } }: FastifyRequest): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization')
}
