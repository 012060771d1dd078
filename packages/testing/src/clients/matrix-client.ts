// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import { HttpConnection } from './http-connection.ts'
import type { Answer, Connection } from './http-connection.ts'

/** A device of a user, as `/register` and `/login` answer it. */
export interface Session {
  readonly base: string
  readonly userId: string
  readonly token: string
  readonly deviceId?: string
}

/** Thrown by {@link MatrixClient.call} for a status other than 200. */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly status: number
  readonly errcode: string

  constructor(request: string, { status, body }: Answer) {
    super(`${request}: ${status} ${body.slice(0, 300)}`)
    this.status = status
    this.errcode = /"errcode": ?"([^"]*)"/.exec(body)?.[1] ?? ''
  }
}

/**
 * A client of the client-server API for tests, benchmarks and scripts.
 *
 * Its connection is one socket with one request at a time unless another is given.
 */
export class MatrixClient {
  readonly base: string
  readonly userId: string
  readonly token: string
  readonly deviceId: string
  readonly #connection: Connection

  constructor(
    { base, userId, token, deviceId = '' }: Session,
    open: (base: string) => Connection = (url) => new HttpConnection(url),
  ) {
    this.base = base
    this.userId = userId
    this.token = token
    this.deviceId = deviceId
    this.#connection = open(base)
  }

  /** Calls an endpoint and returns the body of its answer; throws a {@link RequestError} for a status other than 200. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.send(method, path, body === undefined ? undefined : JSON.stringify(body))
    if (answer.status !== 200) throw new RequestError(`${method} ${path}`, answer)
    return JSON.parse(answer.body) as T
  }

  /** Sends a request with an encoded body and returns the answer of any status. */
  send(method: string, path: string, body?: string): Promise<Answer> {
    return this.#connection.request(method, path, this.token, body)
  }

  /** Returns a client of the same session with a connection of its own. */
  again(): MatrixClient {
    return new MatrixClient(this)
  }

  close(): void {
    this.#connection.close()
  }
}

/** Registers users with the shared secret, one after the other (`/_synapse/admin/v1/register`, which Synapse has too). */
export async function registerUsers(base: string, secret: string, names: readonly string[]): Promise<MatrixClient[]> {
  const connection = new HttpConnection(base)
  const path = '/_synapse/admin/v1/register'
  const clients: MatrixClient[] = []
  for (const username of names) {
    const { nonce } = JSON.parse((await connection.request('GET', path)).body) as { nonce: string }
    const password = 'bench'
    const mac = createHmac('sha1', secret).update([nonce, username, password, 'notadmin'].join('\0')).digest('hex')
    const body = JSON.stringify({ nonce, username, password, admin: false, mac })
    const answer = await connection.request('POST', path, undefined, body)
    if (answer.status !== 200) throw new RequestError(`registering ${username}`, answer)
    const made = JSON.parse(answer.body) as { user_id: string; access_token: string; device_id: string }
    clients.push(new MatrixClient({ base, userId: made.user_id, token: made.access_token, deviceId: made.device_id }))
  }
  connection.close()
  return clients
}
