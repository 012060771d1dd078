// SPDX-License-Identifier: Apache-2.0
import { inSteps } from '@myelin/kit/in-steps'
import { canonicalJsonLoose } from '@myelin/matrix/canonical-json'
import { MatrixError } from '@myelin/matrix/errors'
import type { ServerName } from '@myelin/matrix/ids'
import { isObject, stringMember } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { LONG_JSON, parseLongJson } from '@myelin/matrix/parse-long-json'
import { signBytes } from '@myelin/matrix/signatures'
import type { SigningKey } from '@myelin/matrix/signatures'
import { KeyFetches } from './key-fetches.ts'
import { readInParts } from './read-in-parts.ts'
import type { LongLists } from './read-in-parts.ts'
import { RecentAnswers } from './recent-answers.ts'
import { RemoteError } from './remote-error.ts'
import type { IncomingReply, OutgoingRequest, PageOptions, Transport } from './transport.ts'

/** A call of another server's federation API. */
export interface FederationCall {
  readonly method: OutgoingRequest['method']
  /** Path and query, already percent-encoded: see {@link federationPath}. */
  readonly target: string
  readonly body?: JsonObject
  /** 60 s where nothing is said. */
  readonly timeoutMs?: number
  /** How much of an answer is read; 64 MiB where nothing is said. */
  readonly maxBytes?: number
  /** Keep the spelling of odd numbers in the answer: it holds events of room versions 1 to 5. */
  readonly keepNumbers?: boolean
  /** Key requests go out unsigned. */
  readonly isUnsigned?: boolean
  readonly signal?: AbortSignal
}

const TIMEOUT_MS = 60_000
const MAX_BYTES = 64 * 1024 * 1024
const MAX_REFUSAL_BYTES = 1024 * 1024
/** How much is read of an answer that may be a whole room, of some hundred thousand members. */
export const MAX_ROOM_BYTES = 256 * 1024 * 1024

/** A path with each part percent-encoded, and a query; lists give a name several times. */
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

/** What the admin decides about calls. */
export interface CallOptions {
  /** Which servers we may speak with; all where nothing is said. */
  readonly mayCall?: (server: ServerName) => boolean
  /** How long a call may take that does not say so itself. */
  readonly timeoutMs?: number
}

/**
 * Calls other servers in our name.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#request-authentication
 */
export class Federation {
  readonly serverName: ServerName
  /** Who is being asked for keys. */
  readonly keyFetches = new KeyFetches()
  /** About whom notaries are being asked. */
  readonly notaryQuestions = new KeyFetches()
  /** What was answered a short while ago. */
  readonly recent = new RecentAnswers()
  readonly #transport: Transport
  readonly #key: SigningKey
  readonly #mayCall: (server: ServerName) => boolean
  readonly #timeoutMs: number

  constructor(serverName: ServerName, key: SigningKey, transport: Transport, options: CallOptions = {}) {
    this.serverName = serverName
    this.#mayCall = options.mayCall ?? (() => true)
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS
    this.#key = key
    this.#transport = transport
  }

  /** The JSON object another server answers with 200; a `RemoteError` for anything else. */
  async call(destination: ServerName, call: FederationCall): Promise<JsonObject> {
    const reply = await this.open(destination, call)
    const text = await textOf(reply, call.maxBytes ?? MAX_BYTES)
    const answer = await jsonOf(text, call.keepNumbers ?? false)
    if (reply.status !== 200) throw refusal(destination, reply.status, answer)
    if (!isObject(answer)) throw new RemoteError('malformed', `${destination} did not answer a JSON object`)
    return answer
  }

  /**
   * The same of an answer that may be a whole room: the elements of its long lists are handed out as they come, as text,
   * and never held together. Answers what else it says, with an empty list in the place of each that was handed out.
   *
   * What is wrong may show only at the end, so whoever takes elements must be able to have taken them in vain.
   */
  async callInParts(destination: ServerName, call: FederationCall, lists: LongLists): Promise<JsonObject> {
    const reply = await this.open(destination, call)
    if (reply.status !== 200) {
      throw refusal(destination, reply.status, await jsonOf(await textOf(reply, MAX_REFUSAL_BYTES), false))
    }
    return readInParts(reply, call.maxBytes ?? MAX_BYTES, lists)
  }

  /** The raw answer, whatever its status, for those who read it as it comes. */
  async open(destination: ServerName, call: FederationCall): Promise<IncomingReply> {
    const { method, target, body, timeoutMs = this.#timeoutMs, signal } = call
    if (destination === this.serverName) throw new RemoteError('unreachable', 'we do not call ourselves')
    if (!this.#mayCall(destination)) throw new RemoteError('unreachable', `the admin does not want ${destination}`)
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

  /** A page that another server sends us to. */
  async fetchPage(url: URL, options: PageOptions): Promise<IncomingReply> {
    if (url.protocol !== 'https:' || !this.#transport.fetchPage) {
      throw new RemoteError('unreachable', `${url.protocol}//${url.host} is not fetched from`)
    }
    return this.#transport.fetchPage(url, options)
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

/** What the signature of a request covers, as text; `content` only where there was a body. */
export function requestForm(request: {
  readonly method: string
  readonly uri: string
  readonly origin: string
  readonly destination: string
  readonly content: Json | undefined
}): string {
  const { content, ...rest } = request
  return canonicalJsonLoose(content === undefined ? rest : { ...rest, content })
}

async function textOf(reply: IncomingReply, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let text = ''
  let size = 0
  for await (const chunk of reply.body) {
    size += chunk.length
    if (size > maxBytes) throw new RemoteError('malformed', `an answer was longer than ${maxBytes} bytes`)
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
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
