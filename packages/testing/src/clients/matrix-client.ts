// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto'
import { HttpConnection } from './http-connection.ts'

/** A user's hands on a homeserver: one connection for requests, more for waiting. */
export class Client {
  readonly base: string
  readonly userId: string
  readonly token: string
  readonly deviceId: string
  readonly #connection: HttpConnection

  constructor(base: string, userId: string, token: string, deviceId = '') {
    this.base = base
    this.userId = userId
    this.token = token
    this.deviceId = deviceId
    this.#connection = new HttpConnection(base)
  }

  /** Calls an endpoint; throws on anything but 200. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, body: text } = await this.send(method, path, body === undefined ? undefined : JSON.stringify(body))
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${text.slice(0, 300)}`)
    return JSON.parse(text) as T
  }

  /** Sends a request with an encoded body, and answers whatever comes. */
  send(method: string, path: string, body?: string) {
    return this.#connection.request(method, path, this.token, body)
  }

  /** A second connection of the same user. */
  again(): Client {
    return new Client(this.base, this.userId, this.token, this.deviceId)
  }

  close(): void {
    this.#connection.close()
  }
}

/** Makes accounts through the shared-secret door, which Synapse has too. */
export async function registerUsers(base: string, secret: string, names: readonly string[]): Promise<Client[]> {
  const connection = new HttpConnection(base)
  const path = '/_synapse/admin/v1/register'
  const clients: Client[] = []
  for (const username of names) {
    const { nonce } = JSON.parse((await connection.request('GET', path)).body) as { nonce: string }
    const password = 'bench'
    const mac = createHmac('sha1', secret).update([nonce, username, password, 'notadmin'].join('\0')).digest('hex')
    const answer = await connection.request(
      'POST',
      path,
      undefined,
      JSON.stringify({ nonce, username, password, admin: false, mac }),
    )
    if (answer.status !== 200) throw new Error(`registering ${username}: ${answer.status} ${answer.body}`)
    const made = JSON.parse(answer.body) as { user_id: string; access_token: string; device_id: string }
    clients.push(new Client(base, made.user_id, made.access_token, made.device_id))
  }
  connection.close()
  return clients
}
