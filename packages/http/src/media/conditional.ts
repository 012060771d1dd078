// SPDX-License-Identifier: Apache-2.0
import type { EndpointRequest } from '../endpoint.ts'

type Headers = EndpointRequest<unknown, unknown, unknown>['headers']

/** The validators of a file. It never changes, so both are strong. */
export interface Validators {
  /** A strong entity tag, with its quotes. */
  readonly etag: string
  /** When the file came to this server, in milliseconds. */
  readonly modifiedTs: number
}

/** Returns the validators as headers of a reply. */
export function validatorHeaders({ etag, modifiedTs }: Validators): {
  readonly etag: string
  readonly 'last-modified': string
} {
  return { etag, 'last-modified': new Date(modifiedTs).toUTCString() }
}

/**
 * Returns what the conditions of a request for a file say: 304 where the client has it already, 412 where it wants another
 * one, undefined where it is to be sent. Dates count only where there is no condition about tags; a date that cannot be read
 * is ignored.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110.html#name-precedence-of-preconditions
 */
export function preconditionOf(headers: Headers, { etag, modifiedTs }: Validators): 304 | 412 | undefined {
  const ifMatch = headers['if-match']
  const isOther =
    typeof ifMatch === 'string'
      ? !names(ifMatch, etag, false)
      : secondsOf(headers['if-unmodified-since']) < secondsOf(modifiedTs)
  if (isOther) return 412
  const ifNoneMatch = headers['if-none-match']
  const isSame =
    typeof ifNoneMatch === 'string'
      ? names(ifNoneMatch, etag, true)
      : secondsOf(headers['if-modified-since']) >= secondsOf(modifiedTs)
  return isSame ? 304 : undefined
}

/**
 * Returns whether a `Range` header applies: there is no `If-Range`, or it has this entity tag or exactly this date. A weak tag
 * does not match; then the whole file is sent.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110.html#name-if-range
 */
export function rangeApplies(headers: Headers, { etag, modifiedTs }: Validators): boolean {
  const ifRange = headers['if-range']
  if (ifRange === undefined) return true
  return typeof ifRange === 'string' && (ifRange.trim() === etag || secondsOf(ifRange) === secondsOf(modifiedTs))
}

/** Returns a time in whole seconds, which is all that HTTP dates have; NaN, which compares with nothing, for no date. */
function secondsOf(time: unknown): number {
  if (typeof time === 'number') return Math.floor(time / 1000)
  return typeof time === 'string' && HTTP_DATE.test(time) ? Math.floor(Date.parse(time) / 1000) : Number.NaN
}

// The form that servers must send; the two obsolete ones are not read.
const HTTP_DATE = /^\s*[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT\s*$/

const ENTITY_TAG = /(W\/)?("[^"]*")/g

/** Returns whether a list of entity tags, or `*`, names this one; `isWeak` lets weak tags match as well. */
function names(list: string, etag: string, isWeak: boolean): boolean {
  if (list.trim() === '*') return true
  for (const [, weak, opaque] of list.matchAll(ENTITY_TAG)) {
    if (opaque === etag && (isWeak || weak === undefined)) return true
  }
  return false
}
