// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream'
import type { ServerName } from '@myelin/matrix/ids'
import type { Requester } from '@myelin/services/runtime/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Departures } from './departures.ts'
import type { EndpointRequest } from './endpoint.ts'

/** A body as it was read: parsed with its text, or as a stream, or neither. */
export interface ReadBody {
  readonly body?: unknown
  readonly bodyText?: string
  readonly stream?: Readable
}

/** Who calls: an account, or a server, or nobody. */
export interface Caller {
  readonly requester: Requester
  readonly origin: ServerName
}

/**
 * A request as its handler gets it.
 *
 * A class for the sake of `signal`: of an object literal with a getter V8 makes a new hidden class each time, and that keeps the
 * request with all that hangs on it (its reply, socket buffers, what its handler waits for) until the next full collection.
 */
export class IncomingCall implements EndpointRequest<unknown, unknown, unknown> {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly bodyText: string
  readonly stream: Readable
  readonly requester: Requester
  readonly origin: ServerName
  readonly address: string
  readonly userAgent: string | undefined
  readonly takesChunks: boolean
  readonly headers: EndpointRequest<unknown, unknown, unknown>['headers']
  readonly #reply: FastifyReply
  readonly #closing: Departures

  constructor(request: FastifyRequest, reply: FastifyReply, read: ReadBody, caller: Caller, closing: Departures) {
    this.params = request.params
    this.query = request.query
    this.body = read.body
    // An endpoint that declares no body asks for neither of these.
    this.bodyText = read.bodyText as string
    this.stream = read.stream as Readable
    this.requester = caller.requester
    this.origin = caller.origin
    this.address = request.ip
    this.userAgent = request.headers['user-agent']
    this.takesChunks = request.raw.httpVersion !== '1.0'
    this.headers = request.headers
    this.#reply = reply
    this.#closing = closing
  }

  get signal(): AbortSignal {
    return this.#closing.signalOf(this.#reply)
  }
}
