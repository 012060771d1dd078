// SPDX-License-Identifier: Apache-2.0
import { presentLogFields, withLogFields } from '@myelin/kit/log'
import type { Random } from '@myelin/kit/random'
import type { FastifyRequest } from 'fastify'

/** The header that carries the id of a request, in requests and in replies. */
export const REQUEST_ID_HEADER = 'x-request-id'

const VALID_ID = /^[A-Za-z0-9_-]{1,64}$/
const PREFIX_CHARACTERS = 8

/**
 * Returns a function that gives each request its id: the client's `X-Request-ID` where it is 1 to 64 characters of
 * `A-Za-z0-9_-`, otherwise a new one. New ids are a random prefix of the process and a counter.
 */
export function requestIds(random: Random): (request: Pick<FastifyRequest['raw'], 'headers'>) => string {
  const prefix = random.token(PREFIX_CHARACTERS)
  let count = 0
  return ({ headers: { [REQUEST_ID_HEADER]: sent } }) =>
    typeof sent === 'string' && VALID_ID.test(sent) ? sent : `${prefix}-${(count++).toString(36)}`
}

/** Calls `run` so that every line it logs, now or later, has the request's id in the field `requestId`. */
export function inRequestContext<Result>(request: Pick<FastifyRequest, 'id'>, run: () => Result): Result {
  const isInside = presentLogFields()?.['requestId'] === request.id
  return isInside ? run() : withLogFields({ requestId: request.id }, run)
}
