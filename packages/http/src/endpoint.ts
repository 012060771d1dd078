// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream'
import type { ServerName } from '@myelin/matrix/ids'
import type { Requester, Runtime } from '@myelin/services/runtime/runtime'
import type { Static, TSchema } from 'typebox'

/**
 * The requesters that an endpoint accepts.
 *
 * - `none`: every request; a token is not read.
 * - `optional`: every request; a token is checked if there is one.
 * - `locked`: accounts, including locked ones.
 * - `user`: accounts, without guests.
 * - `guest`: accounts, including guests.
 * - `admin`: server admins.
 * - `server`: requests signed by another server.
 */
export type Access = 'none' | 'optional' | 'locked' | 'user' | 'guest' | 'admin' | 'server'

/** The input of a handler, checked against the endpoint's schemas. */
export interface EndpointRequest<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** The account whose token was sent. The `anonymous` requester without a token: access `none` and `server`, and maybe `optional`. */
  readonly requester: Requester
  /** The server that signed the request. Empty where the endpoint's access is not `server`. */
  readonly origin: ServerName
  /** The client's address: that of the connection, or the one in `X-Forwarded-For` on listeners behind a proxy. */
  readonly address: string
  readonly userAgent: string | undefined
  /** The client can distinguish an aborted reply of unknown length from a complete one: false before HTTP/1.1. */
  readonly supportsChunkedReplies: boolean
  /** Header names are lower-case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The bytes of a raw body. */
  readonly stream: Readable
  /** Aborted when the connection closes before the reply is sent, and when the server shuts down. */
  readonly signal: AbortSignal
}

/** The body of a reply that is not encoded as JSON. */
export type Bytes = Readable | Uint8Array | string

/** A reply with a status or headers of its own; a handler that returns anything else sends it as JSON with status 200. */
export class Reply<Body> {
  readonly status: number
  readonly body: Body
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, body: Body, headers: Readonly<Record<string, string>> = {}) {
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/** The contract of one operation: everything but its handler. */
interface EndpointContract<
  Params extends TSchema,
  Query extends TSchema,
  Body extends TSchema,
  Answer extends TSchema,
> {
  /** The operationId of the spec's OpenAPI documents. */
  readonly id: string
  /** Further operations of the spec with the same method and path. */
  readonly alsoServes?: readonly string[]
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** The paths the operation is served at, the spec's first. Paths under `/_matrix/client/v3` are served under `/r0` as well. */
  readonly path: string | readonly string[]
  readonly access: Access
  readonly params?: Params
  readonly query?: Query
  /** The schema of the JSON body. Without it the body is not read. */
  readonly body?: Body
  /** An absent body counts as `{}`. */
  readonly bodyMayBeAbsent?: boolean
  /** The body is passed as a stream. */
  readonly bodyIsRaw?: boolean
  /** The body becomes part of an event: numbers in it must be integers that canonical JSON allows. */
  readonly bodyIsCanonical?: boolean
  /**
   * Larger bodies are refused with 413: one of `MAX_BODY_BYTES`, by default the `small` one. The listener's limit applies as
   * well. A raw body is bounded by its handler.
   */
  readonly maxBodyBytes?: number
  /**
   * The schema of a successful reply. Objects that name their members and say nothing about others are closed: in tests, a
   * reply with another member is an error.
   */
  readonly reply: Answer
  /** The media type of a reply that is not JSON, or that varies (`*`+`/*`). */
  readonly replyType?: string
  /** The use case applies the rate limit of the requesting server itself. */
  readonly limitsItself?: boolean
  /** A successful request counts as activity of the user, for presence. */
  readonly marksActive?: boolean
}

/** One operation of the API: its contract and its handler. */
export interface Endpoint<
  Params extends TSchema,
  Query extends TSchema,
  Body extends TSchema,
  Answer extends TSchema,
  Result = Sendable<Static<Answer>>,
> extends EndpointContract<Params, Query, Body, Answer> {
  handle(
    request: EndpointRequest<Static<Params>, Static<Query>, Static<Body>>,
    rt: Runtime,
  ): Promise<Result | Reply<Result>>
}

/**
 * An endpoint of any shape, as `mount` takes it. Its schemas are checked where it is declared; `mount` only passes checked values
 * through.
 */
export type AnyEndpoint = EndpointContract<TSchema, TSchema, TSchema, TSchema> & {
  handle(request: never, rt: Runtime): Promise<unknown>
}

/** Declares an endpoint. The schemas give `handle` the types of its input and of its result. */
export function endpoint<
  Params extends TSchema,
  Query extends TSchema,
  Body extends TSchema,
  Answer extends TSchema,
  Result extends Sendable<Static<Answer>>,
>(
  declared: Endpoint<Params, Query, Body, Answer, Result> & {
    handle(
      request: never,
      rt: Runtime,
    ): Promise<KnownMembers<Result, Static<Answer>> | Reply<KnownMembers<Result, Static<Answer>>>>
  },
): AnyEndpoint {
  return declared
}

/**
 * The values that a handler may return for a reply of type `Wanted`: all of it may be read-only, and optional members
 * may be undefined.
 */
export type Sendable<Wanted> = Wanted extends Bytes | number | boolean | null | undefined
  ? Wanted
  : object extends Wanted
    ? Wanted
    : Wanted extends readonly (infer Entry)[]
      ? number extends Wanted['length']
        ? readonly Sendable<Entry>[]
        : { readonly [Index in keyof Wanted]: Sendable<Wanted[Index]> }
      : {
          readonly [Name in keyof Wanted]: object extends Pick<Wanted, Name>
            ? Sendable<Wanted[Name]> | undefined
            : Sendable<Wanted[Name]>
        }

// TypeScript allows additional members in what a function returns. Here they become `never`, so that a misspelt optional
// member does not compile.
type KnownMembers<Given, Wanted> = object extends Wanted
  ? Given
  : string extends keyof Wanted
    ? Given
    : Given extends Bytes | readonly unknown[]
      ? Given
      : { [Name in keyof Given]: Name extends keyof Wanted ? Given[Name] : never }
