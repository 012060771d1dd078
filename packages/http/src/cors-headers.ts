// SPDX-License-Identifier: Apache-2.0

/**
 * The headers by which browsers let pages of any site read a reply.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#web-browser-clients
 */
export const CORS_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers': 'X-Requested-With, Content-Type, Authorization, X-Request-ID',
  'access-control-expose-headers': 'X-Request-ID',
} as const
