// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { requesterOf } from '@myelin/services/accounts/requester-of'
import type { Requester, Runtime } from '@myelin/services/runtime/runtime'
import type { FastifyRequest } from 'fastify'
import type { Access } from './endpoint.ts'

/** Who asks where nobody has to say. */
export const nobody: Requester = Object.freeze({ userId: '' as UserId, deviceId: '', isAdmin: false, isGuest: false })

const requesters = new WeakMap<FastifyRequest, Requester>()

/** Who asks, as {@link authenticate} found out. */
export function requesterIn(request: FastifyRequest): Requester {
  return requesters.get(request) ?? nobody
}

/**
 * Finds out who asks, and whether they may use the endpoint at all; {@link requesterIn} tells from then on.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens
 */
export async function authenticate(rt: Runtime, request: FastifyRequest, access: Access): Promise<void> {
  if (access === 'none') return
  const token = tokenOf(request)
  if (token === undefined) {
    if (access === 'optional') return
    throw new MatrixError('M_MISSING_TOKEN', 'an access token is needed')
  }
  const requester = await requesterOf(rt, {
    token,
    mayBeLocked: access === 'locked',
    address: request.ip,
    userAgent: request.headers['user-agent'],
  })
  if (requester.isGuest && (access === 'user' || access === 'admin')) {
    throw new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'guests may not do this')
  }
  if (access === 'admin' && !requester.isAdmin) throw new MatrixError('M_FORBIDDEN', 'only server admins may do this')
  requesters.set(request, requester)
}

function tokenOf(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization
  const bearer = header === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(header)?.[1]
  if (bearer !== undefined) return bearer
  const { access_token: inQuery } = request.query as { access_token?: unknown }
  return typeof inQuery === 'string' && inQuery !== '' ? inQuery : undefined
}
