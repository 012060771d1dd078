// SPDX-License-Identifier: Apache-2.0
import { Cache } from '@myelin/kit/cache'
import type { Clock } from '@myelin/kit/clock'
import { isServerName, type ServerName } from '@myelin/matrix/ids'
import { isObject, stringMember } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { RemoteError } from '../remote-error.ts'
import type { IncomingReply } from '../transport.ts'
import { cacheLifetimeMs } from './cache-lifetime.ts'

/** Fetches a document from a web server, without following redirects. */
export type GetPage = (url: URL) => Promise<IncomingReply>

interface Remembered {
  /** The server that the document delegates to; undefined without a valid document. */
  readonly delegate: ServerName | undefined
  readonly until: number
  /** The number of consecutive failures. */
  readonly failures: number
  /** The time at which the document was last fetched. */
  readonly seenTs: number
}

const MAX_BYTES = 50 * 1024
const MAX_REDIRECTS = 10
const MIN_FAILURE_MS = 60_000
const MAX_FAILURE_MS = 3_600_000
/** The time for which a document is used after fetching it again failed. */
const GRACE_MS = 48 * 3_600_000

/**
 * Fetches and caches the delegations in `/.well-known/matrix/server`.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#getwell-knownmatrixserver
 */
export class WellKnown {
  readonly #get: GetPage
  readonly #clock: Pick<Clock, 'now'>
  readonly #remembered = new Cache<string, Remembered>(20_000)
  readonly #underWay = new Map<string, Promise<Remembered>>()

  constructor(get: GetPage, clock: Pick<Clock, 'now'>) {
    this.#get = get
    this.#clock = clock
  }

  /** Returns the server name that a host delegates to; undefined where it has no document. */
  async delegateOf(hostname: string): Promise<ServerName | undefined> {
    const last = this.#remembered.get(hostname)
    if (last && last.until > this.#clock.now()) return last.delegate
    const underWay = this.#underWay.get(hostname) ?? this.#ask(hostname, last)
    return (await underWay).delegate
  }

  #ask(hostname: string, last: Remembered | undefined): Promise<Remembered> {
    const asked = this.#fetch(hostname, last).finally(() => this.#underWay.delete(hostname))
    this.#underWay.set(hostname, asked)
    return asked
  }

  async #fetch(hostname: string, last: Remembered | undefined): Promise<Remembered> {
    const now = this.#clock.now()
    let next: Remembered
    try {
      const reply = await this.#follow(hostname)
      const until = now + cacheLifetimeMs(reply.headers, now)
      next = { delegate: delegateIn(await textOf(reply)), until, failures: 0, seenTs: now }
    } catch (error) {
      if (!(error instanceof RemoteError)) throw error
      next = afterFailure(last, now)
    }
    this.#remembered.set(hostname, next)
    return next
  }

  async #follow(hostname: string): Promise<IncomingReply> {
    let url = pageAt(`https://${hostname}/.well-known/matrix/server`)
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
      const reply = await this.#get(url)
      if (reply.status === 200) return reply
      const location = reply.status >= 300 && reply.status < 400 ? reply.headers['location'] : undefined
      await discard(reply)
      if (location === undefined) throw new RemoteError('refused', `${url.host} answered ${reply.status}`)
      url = pageAt(location, url)
    }
    throw new RemoteError('malformed', `${hostname} redirects too often`)
  }
}

function pageAt(address: string, from?: URL): URL {
  const url = URL.canParse(address, from) ? new URL(address, from) : undefined
  if (url?.protocol !== 'https:') throw new RemoteError('malformed', `${address.slice(0, 100)} is not an https URL`)
  return url
}

/** Returns the cache entry after a failure: the earlier document for a while, then none. Retries become rarer. */
function afterFailure(last: Remembered | undefined, now: number): Remembered {
  const failures = (last?.failures ?? 0) + 1
  const until = now + Math.min(MAX_FAILURE_MS, MIN_FAILURE_MS * 2 ** Math.min(10, failures - 1))
  const seenTs = last?.seenTs ?? 0
  return { delegate: now - seenTs < GRACE_MS ? last?.delegate : undefined, until, failures, seenTs }
}

/** Returns the delegated name. The content type is ignored, because many servers send another one. */
function delegateIn(text: string): ServerName {
  let document: unknown
  try {
    document = parseJson(text)
  } catch (cause) {
    throw new RemoteError('malformed', 'the document is not JSON', { cause })
  }
  const delegate = isObject(document) ? stringMember(document, 'm.server') : undefined
  if (!isServerName(delegate)) throw new RemoteError('malformed', 'the document has no m.server')
  return delegate
}

async function textOf({ body }: IncomingReply): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > MAX_BYTES) throw new RemoteError('malformed', 'the document is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Discards a body and its connection. */
async function discard({ body }: IncomingReply): Promise<void> {
  for await (const _chunk of body) break
}
