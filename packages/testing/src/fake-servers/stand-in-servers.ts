// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import type { OutgoingRequest, Transport } from '@myelin/remote/transport'

/** Returns the answer of a fake server to a request: a body, or its text. */
export type Answering = (request: OutgoingRequest) => JsonObject | string | Promise<JsonObject | string>

/**
 * Fake servers inside the process of a test, honest or not: a transport that no socket carries. Servers that the test does
 * not set are unreachable.
 *
 * `SimulatedServers` are thousands of fake servers over TLS, for servers in a process of their own. What honest servers
 * answer stands in `honest-answers.ts` for both.
 */
export class StandInServers implements Transport {
  readonly asked: OutgoingRequest[] = []
  readonly #servers = new Map<string, Answering>()

  /** Sets the answers of a server; undefined makes it unreachable. */
  set(server: string, answering: Answering | undefined): void {
    if (answering) this.#servers.set(server, answering)
    else this.#servers.delete(server)
  }

  async send(request: OutgoingRequest) {
    this.asked.push(request)
    const answering = this.#servers.get(request.destination)
    if (!answering) throw new RemoteError('unreachable', `${request.destination} is gone`)
    const answer = await answering(request)
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer)
    return { status: 200, headers: {}, body: Readable.from([Buffer.from(text)]) }
  }

  async close(): Promise<void> {}
}
