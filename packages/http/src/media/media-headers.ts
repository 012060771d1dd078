// SPDX-License-Identifier: Apache-2.0
/**
 * Returns the headers of every reply with user content: any site may embed it, and it may not run scripts.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#content-repository
 */
export function mediaHeaders(isAuthenticated: boolean): Record<string, string> {
  return {
    'content-security-policy':
      "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; media-src 'self'; object-src 'self';",
    'cross-origin-resource-policy': 'cross-origin',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex, nofollow, noarchive, noimageindex',
    'cache-control': `${isAuthenticated ? 'private' : 'public'}, immutable, max-age=86400`,
  }
}
