// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream'
import type { ServerName } from '@myelin/matrix/ids'
import type { Requester } from '@myelin/services/runtime/runtime'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { addressOf } from './client-address.ts'
import type { DisconnectSignals } from '../disconnect-signals.ts'
import type { EndpointRequest } from '../endpoint.ts'

/** A body that has been read: parsed, or as a stream; empty where the endpoint declares none. */
export interface ReadBody {
  readonly body?: unknown
  readonly stream?: Readable
}

/** The authenticated sender of a request: an account or a server. */
export interface Caller {
  readonly requester: Requester
  readonly origin: ServerName
}

/**
 * The request that a handler is given.
 *
 * It is a class because of `signal`: V8 makes a new hidden class for every object literal with a getter, and the hidden class
 * keeps the request with everything it references (reply, socket buffers, pending promises) until the next full collection.
 */
export class HandlerRequest implements EndpointRequest<unknown, unknown, unknown> {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
  readonly stream: Readable
  readonly requester: Requester
  readonly origin: ServerName
  readonly address: string
  readonly userAgent: string | undefined
  readonly supportsChunkedReplies: boolean
  readonly headers: EndpointRequest<unknown, unknown, unknown>['headers']
  readonly #reply: FastifyReply
  readonly #disconnects: DisconnectSignals

  constructor(
    request: FastifyRequest,
    reply: FastifyReply,
    read: ReadBody,
    caller: Caller,
    { disconnects, isForwarded }: { readonly disconnects: DisconnectSignals; readonly isForwarded: boolean },
  ) {
    this.params = request.params
    this.query = request.query
    this.body = read.body
    // An endpoint that declares no body does not read this.
    this.stream = read.stream as Readable
    this.requester = caller.requester
    this.origin = caller.origin
    this.address = addressOf(request, isForwarded)
    this.userAgent = request.headers['user-agent']
    this.supportsChunkedReplies = request.raw.httpVersion !== '1.0'
    this.headers = request.headers
    this.#reply = reply
    this.#disconnects = disconnects
  }

  get signal(): AbortSignal {
    return this.#disconnects.signalOf(this.#reply)
  }
}
