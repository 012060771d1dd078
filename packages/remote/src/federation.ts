// SPDX-License-Identifier: Apache-2.0
import { inSteps } from '@myelin/kit/turn'
import { canonicalJsonInSteps, canonicalJsonLoose, TooLongError } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { ServerName } from '@myelin/matrix/ids'
import { isObject, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { LONG_JSON, parseLongJson } from '@myelin/matrix/parse-long-json'
import { signBytes } from '@myelin/matrix/signatures'
import type { SigningKey } from '@myelin/matrix/signatures'
import type { FailureLog } from './failure-log.ts'
import { KeyFetches } from './key-fetches.ts'
import { readInParts } from './read-in-parts.ts'
import type { LongLists } from './read-in-parts.ts'
import { RecentAnswers } from './recent-answers.ts'
import { RemoteError } from './remote-error.ts'
import type { IncomingReply, OutgoingRequest, PageOptions, Transport } from './transport.ts'

/** A request to another server's federation API. */
export interface FederationCall {
  readonly method: OutgoingRequest['method']
  /** Path and query, already percent-encoded: see {@link federationPath}. */
  readonly target: string
  readonly body?: JsonObject
  /** 60 s by default. */
  readonly timeoutMs?: number
  /** The largest answer; 64 MiB by default. */
  readonly maxBytes?: number
  /** Unusual numbers in the answer keep their spelling, for events of room versions 1 to 5. */
  readonly keepNumbers?: boolean
  /** The request is unsigned, as key requests are. */
  readonly isUnsigned?: boolean
  /** The caller logs failures itself. */
  readonly isLoggedByCaller?: boolean
  readonly signal?: AbortSignal
}

const TIMEOUT_MS = 60_000
const MAX_BYTES = 64 * 1024 * 1024
const MAX_REFUSAL_BYTES = 1024 * 1024
/** The largest answer that may contain a whole room, of some hundred thousand members. */
export const MAX_ROOM_BYTES = 256 * 1024 * 1024

/** Returns a path with each part percent-encoded, and a query; a list repeats its name. */
export function federationPath(
  parts: readonly string[],
  query: Readonly<Record<string, string | number | boolean | readonly string[] | undefined>> = {},
): string {
  const path = `/_matrix/${parts.map(encodeURIComponent).join('/')}`
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (Array.isArray(value)) for (const each of value as readonly string[]) search.append(name, each)
    else if (value !== undefined) search.append(name, String(value))
  }
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}

/** The admin's settings for requests. */
export interface CallOptions {
  /** The servers that requests may go to; all by default. */
  readonly mayCall?: (server: ServerName) => boolean
  /** The timeout of requests without their own. */
  readonly timeoutMs?: number
  /** The log of failing requests. */
  readonly failures?: FailureLog
}

/**
 * Sends signed requests to other servers.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export class Federation {
  readonly serverName: ServerName
  /** The key fetches in progress. */
  readonly keyFetches = new KeyFetches()
  /** The notary queries in progress. */
  readonly notaryQuestions = new KeyFetches()
  /** The cache of recent answers. */
  readonly recent = new RecentAnswers()
  readonly #transport: Transport
  readonly #key: SigningKey
  readonly #mayCall: (server: ServerName) => boolean
  readonly #timeoutMs: number
  readonly #failures: FailureLog | undefined

  constructor(serverName: ServerName, key: SigningKey, transport: Transport, options: CallOptions = {}) {
    this.serverName = serverName
    this.#mayCall = options.mayCall ?? (() => true)
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS
    this.#failures = options.failures
    this.#key = key
    this.#transport = transport
  }

  /** Returns the JSON object of a 200 answer; throws a `RemoteError` for anything else. */
  call(destination: ServerName, call: FederationCall): Promise<JsonObject> {
    return this.#reporting(destination, call, () => this.#call(destination, call))
  }

  async #call(destination: ServerName, call: FederationCall): Promise<JsonObject> {
    const reply = await this.#open(destination, call)
    const text = await textOf(reply, call.maxBytes ?? MAX_BYTES)
    const answer = await jsonOf(text, call.keepNumbers ?? false)
    if (reply.status !== 200) throw refusal(destination, reply.status, answer)
    if (!isObject(answer)) throw new RemoteError('malformed', `the answer of ${destination} is not a JSON object`)
    return answer
  }

  /**
   * Returns an answer that may be a whole room, and delivers the elements of its long lists as texts while it streams
   * in, so that they are never all in memory. The lists are empty in the returned object.
   *
   * A fault may show at the end only, so delivered elements may turn out to be worthless.
   */
  callInParts(destination: ServerName, call: FederationCall, lists: LongLists): Promise<JsonObject> {
    return this.#reporting(destination, call, () => this.#callInParts(destination, call, lists))
  }

  async #callInParts(destination: ServerName, call: FederationCall, lists: LongLists): Promise<JsonObject> {
    const reply = await this.#open(destination, call)
    if (reply.status !== 200) {
      throw refusal(destination, reply.status, await jsonOf(await textOf(reply, MAX_REFUSAL_BYTES), false))
    }
    return readInParts(reply, call.maxBytes ?? MAX_BYTES, lists)
  }

  /** Returns the raw answer of any status, for streaming. The caller logs error answers with {@link reportFailure}. */
  open(destination: ServerName, call: FederationCall): Promise<IncomingReply> {
    return this.#reporting(destination, call, () => this.#open(destination, call))
  }

  /** Logs a failure of another server, for example a malformed answer, unless this error was logged before. */
  reportFailure(server: string, cause: RemoteError): void {
    this.#failures?.report({ server }, cause)
  }

  async #reporting<Answer>(
    destination: ServerName,
    { method, target, signal, isLoggedByCaller = false }: FederationCall,
    run: () => Promise<Answer>,
  ): Promise<Answer> {
    if (destination === this.serverName) throw new RemoteError('unreachable', 'the destination is this server')
    if (!this.#mayCall(destination)) throw new RemoteError('unreachable', `federation with ${destination} is disabled`)
    try {
      return await run()
    } catch (cause) {
      const isReported = cause instanceof RemoteError && !isLoggedByCaller && signal?.aborted !== true
      if (isReported) this.#failures?.report({ server: destination, method, path: target.split('?')[0]! }, cause)
      throw cause
    }
  }

  async #open(destination: ServerName, call: FederationCall): Promise<IncomingReply> {
    const { method, target, body, timeoutMs = this.#timeoutMs, signal } = call
    const headers: Record<string, string> = { accept: 'application/json' }
    if (body) headers['content-type'] = 'application/json'
    if (call.isUnsigned !== true) headers['authorization'] = this.#authorization(destination, call)
    return this.#transport.send({
      destination,
      method,
      target,
      headers,
      timeoutMs,
      ...(body ? { body: canonicalJsonLoose(body) } : {}),
      ...(signal ? { signal } : {}),
    })
  }

  /** Fetches a page to which another server redirects. */
  async fetchPage(url: URL, options: PageOptions): Promise<IncomingReply> {
    if (url.protocol !== 'https:' || !this.#transport.fetchPage) {
      throw new RemoteError('unreachable', `${url.protocol}//${url.host} must not be contacted`)
    }
    return this.#transport.fetchPage(url, options)
  }

  /** Sends a request to a web server that a user named, such as a push gateway, over HTTPS or HTTP. */
  async callWeb(url: URL, options: PageOptions): Promise<IncomingReply> {
    if (!['https:', 'http:'].includes(url.protocol) || !this.#transport.fetchPage) {
      throw new RemoteError('unreachable', `${url.protocol}//${url.host} must not be contacted`)
    }
    return this.#transport.fetchPage(url, options)
  }

  /** Fetches a page for a preview, over HTTPS or HTTP, from an address that the settings of previews allow. */
  async fetchForPreview(url: URL, options: PageOptions): Promise<IncomingReply> {
    return this.callWeb(url, { ...options, isForPreview: true })
  }

  /** Sends a request to a server of the admin's own, which may have a private address. */
  async callOwn(url: URL, options: PageOptions): Promise<IncomingReply> {
    if (!this.#transport.fetchPage) throw new RemoteError('unreachable', `${url.host} must not be contacted`)
    return this.#transport.fetchPage(url, { ...options, isTrusted: true })
  }

  close(): Promise<void> {
    return this.#transport.close()
  }

  #authorization(destination: ServerName, { method, target, body }: FederationCall): string {
    const signed = requestForm({ method, uri: target, origin: this.serverName, destination, content: body })
    const parameters = { origin: this.serverName, destination, key: this.#key.id, sig: signBytes(signed, this.#key) }
    return `X-Matrix ${Object.entries(parameters)
      .map(([name, value]) => `${name}="${value}"`)
      .join(',')}`
  }
}

/** A request whose signature is made or checked; `content` only where there is a body. */
export interface SignedForm {
  readonly method: string
  readonly uri: string
  readonly origin: string
  readonly destination: string
  readonly content: Json | undefined
  /** The length of the content as it was sent, in bytes, where it is known. */
  readonly length?: number
}

/** Returns the text that the signature of a request covers. */
export function requestForm(request: SignedForm): string {
  return canonicalJsonLoose(coveredBy(request))
}

/** Returns the text that the signature of a request covers; for a long one a promise of its UTF-8, written in steps. */
export function requestFormInSteps(request: SignedForm): string | Promise<Uint8Array> {
  if (request.length !== undefined && request.length >= LONG_JSON)
    return inSteps(canonicalJsonInSteps(coveredBy(request)))
  try {
    return canonicalJsonLoose(coveredBy(request), LONG_JSON)
  } catch (cause) {
    if (!(cause instanceof TooLongError)) throw cause
    return inSteps(canonicalJsonInSteps(coveredBy(request)))
  }
}

function coveredBy({ method, uri, origin, destination, content }: SignedForm): JsonObject {
  return { method, uri, origin, destination, ...(content === undefined ? {} : { content }) }
}

/** Returns the text of an answer; an empty one, which is no JSON, where it is not UTF-8. */
async function textOf(reply: IncomingReply, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true, fatal: true })
  let text = ''
  let size = 0
  for await (const chunk of reply.body) {
    size += chunk.length
    if (size > maxBytes) throw new RemoteError('malformed', `an answer was longer than ${maxBytes} bytes`)
    const part = decodedOf(() => decoder.decode(chunk, { stream: true }))
    if (part === undefined) return ''
    text += part
  }
  const end = decodedOf(() => decoder.decode())
  return end === undefined ? '' : text + end
}

function decodedOf(decode: () => string): string | undefined {
  try {
    return decode()
  } catch (cause) {
    if (cause instanceof TypeError) return undefined
    throw cause
  }
}

async function jsonOf(text: string, keepNumbers: boolean): Promise<Json | undefined> {
  try {
    if (text.length < LONG_JSON) return parseJson(text, { keepNumbers })
    return await inSteps(parseLongJson(text, { keepNumbers }))
  } catch (cause) {
    if (cause instanceof MatrixError) return undefined
    throw cause
  }
}

function refusal(destination: ServerName, status: number, answer: Json | undefined): RemoteError {
  const body = isObject(answer) ? answer : {}
  const errcode = stringMember(body, 'errcode')
  const message = `${destination} answered ${status}${errcode === undefined ? '' : ` ${errcode}`}: ${stringMember(body, 'error') ?? ''}`
  return new RemoteError('refused', message, { status, body, ...(errcode === undefined ? {} : { errcode }) })
}
