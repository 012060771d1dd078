// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { UserId } from '@myelin/matrix/ids'
import { requesterOf } from '@myelin/services/accounts/requester-of'
import type { Requester, Runtime } from '@myelin/services/runtime/runtime'
import type { FastifyRequest } from 'fastify'
import type { Access } from './endpoint.ts'

/** The requester of a request without an access token. */
export const anonymous: Requester = Object.freeze({
  userId: '' as UserId,
  deviceId: '',
  isAdmin: false,
  isGuest: false,
})

const requesters = new WeakMap<FastifyRequest, Requester>()

/** Returns the requester that {@link authenticate} found, or {@link anonymous}. */
export function requesterIn(request: FastifyRequest): Requester {
  return requesters.get(request) ?? anonymous
}

/**
 * Checks a request's access token and whether its account may use the endpoint; {@link requesterIn} returns the account
 * afterwards.
 *
 * @throws MatrixError `M_MISSING_TOKEN`, `M_UNKNOWN_TOKEN`, `M_USER_LOCKED`, `M_GUEST_ACCESS_FORBIDDEN`, `M_FORBIDDEN`
 * @see https://spec.matrix.org/v1.19/client-server-api/#using-access-tokens
 */
export async function authenticate(
  rt: Runtime,
  request: FastifyRequest,
  { access, address }: { readonly access: Access; readonly address: string },
): Promise<void> {
  if (access === 'none') return
  const token = tokenOf(request)
  if (token === undefined) {
    if (access === 'optional') return
    throw new MatrixError('M_MISSING_TOKEN', 'missing access token')
  }
  const requester = await requesterOf(rt, {
    token,
    mayBeLocked: access === 'locked',
    address,
    userAgent: request.headers['user-agent'],
    asserted: () => assertedIn(request),
  })
  if (requester.isGuest && (access === 'user' || access === 'admin')) {
    throw new MatrixError('M_GUEST_ACCESS_FORBIDDEN', 'guests may not use this endpoint')
  }
  if (access === 'admin' && !requester.isAdmin) {
    throw new MatrixError('M_FORBIDDEN', 'You are not a server admin')
  }
  requesters.set(request, requester)
}

/** Returns the user and the device that a request of an application service acts for; throws `M_INVALID_PARAM` for several. */
function assertedIn({ query }: FastifyRequest): { userId: string | undefined; deviceId: string | undefined } {
  const given = query as Readonly<Record<string, unknown>>
  const text = (name: string) => {
    const value = given[name]
    if (value === undefined || typeof value === 'string') return value
    throw new MatrixError('M_INVALID_PARAM', `\`${name}\` must be given once`)
  }
  return { userId: text('user_id'), deviceId: text('device_id') ?? text('org.matrix.msc3202.device_id') }
}

/** Returns the access token of a request. */
export function tokenOf(request: Pick<FastifyRequest, 'headers' | 'query'>): string | undefined {
  const header = request.headers.authorization
  const bearer = header === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(header)?.[1]
  if (bearer !== undefined) return bearer
  const { access_token: inQuery } = request.query as { access_token?: unknown }
  return typeof inQuery === 'string' && inQuery !== '' ? inQuery : undefined
}
