// SPDX-License-Identifier: Apache-2.0
import { canonicalJsonLoose } from '@myelin/matrix/canonical-json'
import type { EventId, ServerName } from '@myelin/matrix/ids'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import type { SigningKey } from '@myelin/matrix/signatures'
import { sha256Base64, signBytes } from '@myelin/matrix/signatures'
import { Federation, federationPath } from '@myelin/remote/federation'
import type { OutgoingRequest } from '@myelin/remote/transport'
import { hashedEventId } from '@myelin/rules/events/event-id'
import { signedFormOf } from '@myelin/rules/events/signing'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { ForeignAuthor } from '../foreign-author.ts'
import type { Author } from '../foreign-author.ts'
import { testSigningKey } from '../runtime.ts'
import type { Answer, TestServer } from '../server.ts'
import { keyDocument } from '../fake-servers/honest-answers.ts'
import type { Answering, FakeServerRequest } from '../fake-servers/fake-servers.ts'
import type { InProcessServers } from '../fake-servers/in-process-servers.ts'
import { xMatrixHeader } from '../fake-servers/x-matrix.ts'

/** An event as the hostile server sends it, and its event ID. */
export interface Sealed {
  readonly id: EventId
  readonly json: JsonObject
}

/** A server that implements the protocol and violates it only as the test requests. */
export class HostileServer implements Author {
  readonly name: ServerName
  readonly key: SigningKey
  readonly rt: Author['rt']
  readonly author: ForeignAuthor
  /** The answers by the start of the path after `/federation/v1/`; the longest match applies. */
  readonly answers = new Map<string, Answering>()
  readonly #home: TestServer
  readonly #asked: FakeServerRequest[] = []
  #transactions = 0

  constructor(name: string, home: TestServer, peers: InProcessServers) {
    this.name = name as ServerName
    this.key = testSigningKey(name)
    this.#home = home
    const transport = { send: (request: OutgoingRequest) => home.receive(request), close: async () => {} }
    this.rt = { serverName: this.name, signingKey: this.key, remote: new Federation(this.name, this.key, transport) }
    this.author = new ForeignAuthor(home, this)
    peers.set(name, (request) => this.#answer(request))
  }

  /** The requests received so far, without those for keys. */
  get asked(): readonly FakeServerRequest[] {
    return this.#asked.filter(({ target }) => !/\/(key|send)\//.test(target))
  }

  /** Hashes and signs any members as an event of this server. */
  seal(members: JsonObject, version: RoomVersion): Sealed {
    const { signatures: _signatures, hashes: _hashes, unsigned, ...rest } = members
    const hashed = { ...rest, hashes: { sha256: sha256Base64(canonicalJsonLoose(rest)) } }
    // A room version may refuse to sign these members; a signature over other bytes serves as well.
    const text = attempt(() => signedFormOf(hashed, version)) ?? canonicalJsonLoose(hashed)
    const signatures = { [this.name]: { [this.key.id]: signBytes(text, this.key) } }
    const id = hashedEventId(text, version) ?? (members['event_id'] as EventId)
    return { id, json: { ...hashed, signatures, ...(unsigned === undefined ? {} : { unsigned }) } }
  }

  /** Sends PDUs and waits until they were judged. */
  send(pdus: readonly JsonObject[], edus: readonly JsonObject[] = []): Promise<Answer> {
    return this.sendText(JSON.stringify({ origin: this.name, origin_server_ts: 1, pdus: [...pdus], edus: [...edus] }))
  }

  /** Sends the text of a transaction as it stands. */
  async sendText(text: string, txnId = `hostile${this.#transactions++}`): Promise<Answer> {
    const answer = await this.request('PUT', federationPath(['federation', 'v1', 'send', txnId]), text)
    await this.#home.workers.inbound.settled()
    return answer
  }

  /** Sends a request signed by this server, with the body unchanged. */
  async request(method: OutgoingRequest['method'], target: string, text?: string): Promise<Answer> {
    const content = text === undefined ? undefined : attempt(() => parseJson(text, { keepNumbers: true }))
    const authorization = this.authorization(method, target, content)
    return this.#home.call(method, target, {
      headers: { authorization, ...(text === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(text === undefined ? {} : { body: text }),
    })
  }

  /** Returns the X-Matrix header of a request of this server. */
  authorization(method: string, uri: string, content: Json | undefined): string {
    return xMatrixHeader({ origin: this.name, destination: this.#home.name, method, uri, content }, this.key)
  }

  #answer(request: FakeServerRequest): JsonObject | string | Promise<JsonObject | string> {
    this.#asked.push(request)
    if (request.target.includes('/key/v2/server')) {
      return keyDocument(this.name, { validUntilTs: this.#home.rt.clock.now() + 86_400_000 })
    }
    const path = decodeURIComponent(request.target).replace(/^\/_matrix\/federation\/v\d\//, '')
    const fitting = [...this.answers.keys()].filter((key) => path.startsWith(key))
    const longest = fitting.toSorted((a, b) => b.length - a.length)[0]
    return longest === undefined ? {} : (this.answers.get(longest)?.(request) ?? {})
  }
}

function attempt<T extends Json | string>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
