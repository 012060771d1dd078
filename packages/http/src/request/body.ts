// SPDX-License-Identifier: Apache-2.0
import { isUtf8 } from 'node:buffer'
import { inSteps } from '@myelin/kit/turn'
import { MatrixError } from '@myelin/matrix/errors'
import type { Json } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import type { JsonLimits } from '@myelin/matrix/parse-json'
import { LONG_JSON, parseLongJson } from '@myelin/matrix/parse-long-json'
import type { FastifyRequest } from 'fastify'

/** Returns whether a request came without a body, or with an empty one. */
export function hasNoBody({ body }: Pick<FastifyRequest, 'body'>): boolean {
  return !Buffer.isBuffer(body) || body.length === 0
}

/**
 * Returns the parsed JSON body of a request; a promise for a long one, which is parsed in steps so that other requests have
 * their turn.
 *
 * @throws MatrixError `M_NOT_JSON` for what is not JSON in UTF-8, `M_BAD_JSON` for JSON beyond the limits
 */
export function jsonBodyOf({ body }: Pick<FastifyRequest, 'body'>, limits: JsonLimits): Json | Promise<Json> {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
  if (!isUtf8(bytes)) throw new MatrixError('M_NOT_JSON', 'the body is not UTF-8')
  const text = bytes.toString('utf8')
  return text.length < LONG_JSON ? parseJson(text, limits) : inSteps(parseLongJson(text, limits))
}
