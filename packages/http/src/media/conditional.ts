// SPDX-License-Identifier: Apache-2.0
import type { EndpointRequest } from '../endpoint.ts'

type Headers = EndpointRequest<unknown, unknown, unknown>['headers']

/**
 * Returns what the conditions of a request for a file with this strong entity tag say: 304 where the client has it already,
 * 412 where it wants another one, undefined where it is to be sent. The date conditions are not evaluated, because files have
 * no `Last-Modified`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110.html#name-precedence-of-preconditions
 */
export function preconditionOf(headers: Headers, etag: string): 304 | 412 | undefined {
  const ifMatch = headers['if-match']
  if (typeof ifMatch === 'string' && !names(ifMatch, etag, false)) return 412
  const ifNoneMatch = headers['if-none-match']
  return typeof ifNoneMatch === 'string' && names(ifNoneMatch, etag, true) ? 304 : undefined
}

/**
 * Returns whether a `Range` header applies: there is no `If-Range`, or it has this entity tag. A weak tag or a date does not
 * match; then the whole file is sent.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110.html#name-if-range
 */
export function rangeApplies(headers: Headers, etag: string): boolean {
  const ifRange = headers['if-range']
  return ifRange === undefined || (typeof ifRange === 'string' && ifRange.trim() === etag)
}

const ENTITY_TAG = /(W\/)?("[^"]*")/g

/** Returns whether a list of entity tags, or `*`, names this one; `isWeak` lets weak tags match as well. */
function names(list: string, etag: string, isWeak: boolean): boolean {
  if (list.trim() === '*') return true
  for (const [, weak, opaque] of list.matchAll(ENTITY_TAG)) {
    if (opaque === etag && (isWeak || weak === undefined)) return true
  }
  return false
}
