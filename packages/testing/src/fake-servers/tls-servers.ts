// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { signingKeyFromSeed } from '@myelin/matrix/signatures'
import type { SigningKey } from '@myelin/matrix/signatures'
import { testAuthority } from '../certificates.ts'
import type { ForeignRoom } from '../foreign-room.ts'
import { xMatrixHeader } from './x-matrix.ts'
import { FakeServers } from './fake-servers.ts'
import type { FakeServerRequest } from './fake-servers.ts'
import { answerTo } from './room-answers.ts'
import type { RoomHosts } from './room-answers.ts'

/** The faults of a server; without any it answers at once and in full. */
export interface FaultSettings {
  readonly delayMs?: number
  /** The kind of failure: half an answer, a broken connection, no answer, or an invalid answer. */
  readonly fails?: 'truncates' | 'resets' | 'hangs' | 'lies'
}

/** A request that a fake server received over TLS, and the time at which it arrived, by `performance.now()`. */
export type ArrivedRequest = FakeServerRequest & { readonly body: string; readonly atMs: number }

/**
 * Up to 2,000 fake servers on as many addresses of 127/8 and one port, over TLS with an authority of their own. Their names
 * are those addresses, so that no name lookup is needed. They host `rooms` and answer honestly unless a test sets answers.
 */
export class TlsServers extends FakeServers implements RoomHosts {
  readonly names: readonly ServerName[]
  /** The configuration that the server under test needs to trust them. */
  readonly settings: string
  readonly rooms = new Map<RoomId, ForeignRoom>()
  readonly faults = new Map<string, FaultSettings>()
  /** The number of key requests. */
  keyRequests = 0
  /** Called for every request that is not for keys. */
  onRequest: (asked: ArrivedRequest) => void = () => {}
  readonly #keys = new Map<string, SigningKey>()
  readonly #seed: string
  readonly #stop: () => Promise<void>

  constructor(parts: { names: readonly ServerName[]; seed: string; settings: string; stop: () => Promise<void> }) {
    super()
    this.names = parts.names
    this.settings = parts.settings
    this.#seed = parts.seed
    this.#stop = parts.stop
  }

  /** Returns the server of a number, modulo their count. */
  name(number: number): ServerName {
    return this.names[number % this.names.length] as ServerName
  }

  /** Returns the signing key of a server; the seed decides it. */
  keyOf = (server: string): SigningKey => {
    const known = this.#keys.get(server)
    if (known) return known
    const key = signingKeyFromSeed('sim', hash('sha256', `${this.#seed} ${server}`, 'buffer'))
    this.#keys.set(server, key)
    return key
  }

  /** Returns the `Authorization` header of a request of a server. */
  authorization(
    origin: string,
    request: { destination: string; method: string; uri: string; content?: JsonObject },
  ): string {
    return xMatrixHeader({ ...request, origin }, this.keyOf(origin))
  }

  /** Answers a request to one of the servers. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const server = String(request.headers.host) as ServerName
    const asked: ArrivedRequest = {
      destination: server,
      method: request.method as ArrivedRequest['method'],
      target: request.url ?? '',
      headers: request.headers as ArrivedRequest['headers'],
      body: Buffer.concat(chunks).toString(),
      atMs: performance.now(),
    }
    const { delayMs = 0, fails } = this.faults.get(server) ?? {}
    if (delayMs > 0) await delay(delayMs)
    if (fails === 'hangs') return
    if (fails === 'resets') return void request.socket.destroy()
    if (asked.target.startsWith('/_matrix/key/')) this.keyRequests++
    else this.onRequest(asked)
    const set = fails === 'lies' ? '{"pdus":{},"lies":[1,2,3]}' : await this.answerSet(asked)
    const { status, text } = set === undefined ? answerTo(this, asked) : { status: 200, text: set }
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    if (fails === 'truncates') {
      response.write(text.slice(0, text.length / 2))
      return void request.socket.destroy()
    }
    response.end(text)
  }

  close(): Promise<void> {
    return this.#stop()
  }
}

/** Starts `count` servers, at most 2,000. */
export async function startTlsServers(count: number, seed = 'sim'): Promise<TlsServers> {
  const addresses = Array.from({ length: count }, (_, index) => `127.1.${index >> 8}.${index & 255}`)
  const authority = testAuthority('Fake servers')
  const folder = mkdtempSync(join(tmpdir(), 'myelin-sim-'))
  writeFileSync(join(folder, 'ca.crt'), authority.cert)
  const state: { servers?: TlsServers } = {}
  const listener = createServer(authority.issue(addresses), (request, response) => {
    state.servers?.answer(request, response).catch(() => request.socket.destroy())
  })
  listener.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => listener.listen({ port: 0, host: '0.0.0.0', backlog: 2048 }, resolve))
  const { port } = listener.address() as AddressInfo
  state.servers = new TlsServers({
    names: addresses.map((address) => `${address}:${port}` as ServerName),
    seed,
    settings: `federation_custom_ca_list: [${JSON.stringify(join(folder, 'ca.crt'))}]\nip_range_whitelist: ['127.0.0.0/8']\nhttps_proxy: ''\n`,
    stop: async () => {
      listener.closeAllConnections()
      await new Promise((resolve) => listener.close(resolve))
      rmSync(folder, { recursive: true, force: true })
    },
  })
  return state.servers
}
