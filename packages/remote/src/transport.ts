// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'

/** One HTTP request to another server, addressed by its name; the transport resolves it. */
export interface OutgoingRequest {
  readonly destination: ServerName
  readonly method: 'GET' | 'PUT' | 'POST'
  /** Path and query exactly as sent. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  /** JSON text. */
  readonly body?: string
  /** The timeout of the whole exchange, from the first lookup to the last byte. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

/** An answer. The reader of the body limits its size. */
export interface IncomingReply {
  readonly status: number
  /** Names are lower-case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: AsyncIterable<Uint8Array>
}

/** A request to a web server, by default a GET without body. */
export interface PageOptions {
  /** The timeout of the whole exchange. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  readonly method?: 'GET' | 'POST' | 'PUT'
  /** Names are lower-case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Whether the address was configured by the admin, so that it may be private and no proxy leads to it. */
  readonly isTrusted?: boolean
  /** Whether the request is for a preview: it may go where the settings of previews allow, not those of federation. */
  readonly isForPreview?: boolean
}

/**
 * Sends requests to other servers: over TLS in a running server, between servers of one process in tests.
 *
 * Rejects with a `RemoteError` of kind `unreachable` where there was no HTTP answer.
 */
export interface Transport {
  send(request: OutgoingRequest): Promise<IncomingReply>
  /**
   * Sends a request to any web server, with the same checks, over TLS unless the URL says `http:`, without following
   * redirects; not supported by every transport.
   */
  fetchPage?(url: URL, options: PageOptions): Promise<IncomingReply>
  close(): Promise<void>
}
