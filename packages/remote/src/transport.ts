// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'

/** One HTTP request to another server, addressed by its name; the transport finds out where that is. */
export interface OutgoingRequest {
  readonly destination: ServerName
  readonly method: 'GET' | 'PUT' | 'POST'
  /** Path and query exactly as they go over the wire. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON text. */
  readonly body?: string
  /** The whole exchange, from the first lookup to the last byte. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** What came back. Whoever reads the body decides how much of it. */
export interface IncomingReply {
  readonly status: number
  /** Names are lower-case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
}

/** How long a page may take, and who stops waiting for it. */
export interface PageOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/**
 * Carries requests to other servers: over TLS in a running house, between servers of one process in tests.
 *
 * Rejects with a `RemoteError` of kind `unreachable` where there was no HTTP answer.
 */
export interface Transport {
  send(request: OutgoingRequest): Promise<IncomingReply>
  /** A page of any web server, over TLS and under the same checks; redirects are not followed. Not every transport can. */
  fetchPage?(url: URL, options: PageOptions): Promise<IncomingReply>
  close(): Promise<void>
}
