// SPDX-License-Identifier: Apache-2.0
import type { Answer, Connection } from './http-connection.ts'

/** Requests over `fetch`: any number at a time. */
export class FetchConnection implements Connection {
  readonly #url: string

  constructor(url: string) {
    this.#url = url
  }

  async request(method: string, path: string, token?: string, body?: string): Promise<Answer> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body }),
    })
    return { status: response.status, body: await response.text() }
  }

  close(): void {}
}
