// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import type { OutgoingRequest } from '@myelin/remote/transport'

/** A request to a fake server. */
export type FakeServerRequest = Pick<OutgoingRequest, 'destination' | 'method' | 'target' | 'headers' | 'body'>

/** Returns the answer of a fake server to a request, with status 200: a body, or its text. */
export type Answering = (request: FakeServerRequest) => JsonObject | string | Promise<JsonObject | string>

/**
 * The fake servers of tests, honest or not. A test sets the answers of each server.
 *
 * Requests reach them in two ways: `InProcessServers` are a transport, for servers in the process of the test; `TlsServers`
 * listen on sockets, for servers in a process of their own. `honest-answers.ts` has the answers of honest servers.
 */
export abstract class FakeServers {
  readonly #answers = new Map<string, Answering>()

  /** Sets the answers of a server; undefined removes them. */
  set(server: string, answering: Answering | undefined): void {
    if (answering) this.#answers.set(server, answering)
    else this.#answers.delete(server)
  }

  /** Returns the text of the answer that the test has set; undefined if it has set none. */
  protected async answerSet(request: FakeServerRequest): Promise<string | undefined> {
    const answer = await this.#answers.get(request.destination)?.(request)
    return answer === undefined || typeof answer === 'string' ? answer : JSON.stringify(answer)
  }
}
