// SPDX-License-Identifier: Apache-2.0
import type { Readable } from 'node:stream'
import type { ServerName } from '@myelin/matrix/ids'
import type { Requester, Runtime } from '@myelin/services/runtime/runtime'
import type { Static, TSchema } from 'typebox'

/** Who may call: anybody; anybody, and we look at a token if there is one; accounts, locked ones too; accounts; accounts and guests; server admins; other servers. */
export type Access = 'none' | 'optional' | 'locked' | 'user' | 'guest' | 'admin' | 'server'

/** What a handler gets: everything checked against the endpoint's schemas. */
export interface EndpointRequest<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** The account that asks. Endpoints with access `none`, and `optional` without a token, have none: see {@link nobody}. */
  readonly requester: Requester
  /** The server that signed the request. Empty where the endpoint's access is not `server`. */
  readonly origin: ServerName
  /** Where the request came from, as the reverse proxy tells if it may. */
  readonly address: string
  readonly userAgent: string | undefined
  /** Whether an answer of unknown length that breaks off is told from one that ended: not before HTTP/1.1. */
  readonly takesChunks: boolean
  /** Header names are lower-case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The text of a JSON body as it was sent. */
  readonly bodyText: string
  /** The bytes of a raw body. */
  readonly stream: Readable
  /** Aborted when the caller goes away. */
  readonly signal: AbortSignal
}

/** A reply that is more than a 200 with JSON. */
export class Reply {
  readonly status: number
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/** One operation of the API: contract and handler in one place. */
export interface Endpoint<Params extends TSchema, Query extends TSchema, Body extends TSchema> {
  /** The spec's operationId. */
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Paths under `/_matrix/client/v3` are served under `/r0` too. A list serves several. */
  readonly path: string | readonly string[]
  readonly access: Access
  readonly params?: Params
  readonly query?: Query
  /** The JSON body's schema. Absent: the body is not looked at. */
  readonly body?: Body
  /** An absent body counts as `{}`. */
  readonly bodyMayBeAbsent?: boolean
  /** The body is handed over as a stream. */
  readonly bodyIsRaw?: boolean
  /** Numbers in the body must be integers that every JSON reader reads alike: it becomes part of events. */
  readonly bodyIsCanonical?: boolean
  /** Bodies above this are refused with 413; the default is the listener's. */
  readonly maxBodyBytes?: number
  /** The use-case itself sees to it that one server does not ask too much. */
  readonly pacesItself?: boolean
  /** Whoever calls it is there, and does something. */
  readonly isAct?: boolean
  handle(request: EndpointRequest<Static<Params>, Static<Query>, Static<Body>>, rt: Runtime): Promise<unknown>
}

/** An endpoint of any shape, as `mount` takes them. */
// The schemas differ per endpoint and are checked where each is declared; mount only passes checked values through.
export type AnyEndpoint = Omit<Endpoint<TSchema, TSchema, TSchema>, 'handle'> & {
  handle(request: never, rt: Runtime): Promise<unknown>
}

/** Declares an endpoint; the schemas give `handle` its types. */
export function endpoint<Params extends TSchema, Query extends TSchema, Body extends TSchema>(
  declared: Endpoint<Params, Query, Body>,
): AnyEndpoint {
  return declared
}
