// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'

/** The kind of a failure: no answer, an error answer, or a malformed one. */
export type RemoteFault = 'unreachable' | 'refused' | 'malformed'

/** A failure of another server. It has the server's own text, which the caller may pass on to the client or not. */
export class RemoteError extends Error {
  override readonly name = 'RemoteError'
  readonly fault: RemoteFault
  /** The status of an error answer. */
  readonly status: number | undefined
  readonly errcode: string | undefined
  /** The JSON of an error answer; empty where it had none. */
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

/** A request that failed before it was sent, so that another place may be tried. */
export class NotConnected extends RemoteError {}
