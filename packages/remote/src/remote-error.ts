// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'

/** What was wrong with another server: no answer, an answer that says no, an answer that makes no sense. */
export type RemoteFault = 'unreachable' | 'refused' | 'malformed'

/** Another server failed us. Its words are kept for whoever decides which of them our client may read. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError'
  readonly fault: RemoteFault
  /** The status of an answer that says no. */
  readonly status: number | undefined
  readonly errcode: string | undefined
  /** The JSON of an answer that says no; empty where it had none. */
  readonly body: JsonObject

  constructor(
    fault: RemoteFault,
    message: string,
    options: ErrorOptions & { readonly status?: number; readonly errcode?: string; readonly body?: JsonObject } = {},
  ) {
    super(message, options)
    this.fault = fault
    this.status = options.status
    this.errcode = options.errcode
    this.body = options.body ?? {}
  }
}

/** A request failed before it was sent, so that another place may be tried. */
export class NotConnected extends RemoteError {}
