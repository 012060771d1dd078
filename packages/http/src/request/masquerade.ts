// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { Requester } from '@myelin/services/runtime/runtime'
import type { FastifyRequest } from 'fastify'
import type { AnyEndpoint } from '../endpoint.ts'

/** The query parameters by which an application service acts for another, with the requester's own value of each. */
const ASSERTED: readonly (readonly [name: string, own: (requester: Requester) => string])[] = [
  ['user_id', ({ userId }) => userId],
  ['device_id', ({ deviceId }) => deviceId],
  ['org.matrix.msc3202.device_id', ({ deviceId }) => deviceId],
]

/**
 * Returns a check that a request does not ask to act for another user or device: otherwise it would act for its own, unnoticed.
 * Parameters that the endpoint itself has are left to it.
 *
 * @see https://spec.matrix.org/v1.19/application-service-api/#identity-assertion
 */
export function masqueradeCheck({ query }: AnyEndpoint): (request: FastifyRequest, requester: Requester) => void {
  const { properties = {} } = (query ?? {}) as { properties?: object }
  const asserted = ASSERTED.filter(([name]) => !Object.hasOwn(properties, name))
  return (request, requester) => {
    if (requester.appService) return
    const given = request.query as Readonly<Record<string, unknown>>
    for (const [name, own] of asserted) {
      if (given[name] === undefined || given[name] === own(requester)) continue
      throw new MatrixError('M_FORBIDDEN', `\`${name}\` must be your own: only application services may act for others`)
    }
  }
}
