// SPDX-License-Identifier: Apache-2.0

const MIN_MS = 5 * 60_000
const DEFAULT_MS = 24 * 3_600_000
const MAX_MS = 48 * 3_600_000

/**
 * Returns how long a well-known document may be cached, in milliseconds: by its headers, a day without them, at most
 * two days.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names
 */
export function cacheLifetimeMs(headers: Readonly<Record<string, string>>, now: number): number {
  return Math.min(MAX_MS, Math.max(MIN_MS, saidLifetimeMs(headers, now) ?? DEFAULT_MS))
}

function saidLifetimeMs(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const directives = (headers['cache-control'] ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.trim())
  if (directives.includes('no-store') || directives.includes('no-cache')) return 0
  const maxAge = directives
    .map((part) => /^max-age="?([0-9]{1,10})"?$/.exec(part)?.[1])
    .find((age) => age !== undefined)
  if (maxAge !== undefined) return Number(maxAge) * 1000
  const expires = headers['expires']
  if (expires === undefined) return undefined
  const at = Date.parse(expires)
  // An invalid date counts as past: RFC 9111, section 5.3.
  return Number.isNaN(at) ? 0 : at - now
}
