// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { Json } from '@myelin/matrix/json'
import { authenticateContent, serverAuthorizations } from '@myelin/services/peers/trust/authenticate-server'
import type { Runtime } from '@myelin/services/runtime/runtime'
import type { FastifyRequest } from 'fastify'

/** Refuses what cannot come from another server, or is not meant for us, before the body is read. */
export function checkServerHeaders(rt: Runtime, request: FastifyRequest): void {
  serverAuthorizations(rt, authorizationOf(request))
}

/**
 * The server that signed a request, once its body is there; `content` is undefined where there was none.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export function originOf(rt: Runtime, request: FastifyRequest, content: Json | undefined): Promise<ServerName> {
  const { method, originalUrl: target } = request
  return authenticateContent(rt, { method, target, authorization: authorizationOf(request), content })
}

/** Every `Authorization` header by itself; `request.headers` would keep the first alone. */
function authorizationOf({ raw: { rawHeaders } }: FastifyRequest): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'authorization')
}
