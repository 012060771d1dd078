// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { FetchConnection } from './fetch-connection.ts'
import { MatrixClient, RequestError } from './matrix-client.ts'

const PASSWORD = 'correct horse'
const WITHIN_MS = 20_000

/** An event as a client gets it. */
export interface ClientEvent {
  readonly event_id: string
  readonly type: string
  readonly sender: string
  readonly state_key?: string
  readonly content: Readonly<Record<string, unknown>>
  readonly unsigned?: Readonly<Record<string, unknown>>
}

type Body = Readonly<Record<string, unknown>>

let transactions = 0

/** A {@link MatrixClient} with methods for rooms, any number of requests at a time, and accounts by open registration. */
export class RoomClient extends MatrixClient {
  readonly password = PASSWORD
  /** The `next_batch` of the last {@link waitForSync}. */
  #since: string | undefined

  private constructor(base: string, answer: Body) {
    const [userId, token, deviceId] = [answer['user_id'], answer['access_token'], answer['device_id']].map(String)
    super(
      { base, userId: userId ?? '', token: token ?? '', deviceId: deviceId ?? '' },
      (url) => new FetchConnection(url),
    )
  }

  /** Registers an account; the server must have open registration. */
  static async register(base: string, username: string): Promise<RoomClient> {
    const body = { username, password: PASSWORD, auth: { type: 'm.login.dummy' } }
    return RoomClient.#enter(base, '/_matrix/client/v3/register', body)
  }

  static async #enter(base: string, path: string, body: object): Promise<RoomClient> {
    const answer = await new FetchConnection(base).request('POST', path, undefined, JSON.stringify(body))
    if (answer.status !== 200) throw new RequestError(`POST ${path}`, answer)
    return new RoomClient(base, JSON.parse(answer.body) as Body)
  }

  /** Logs the same user in on another device. */
  anotherDevice(): Promise<RoomClient> {
    const identifier = { type: 'm.id.user', user: this.userId }
    const body = { type: 'm.login.password', identifier, password: PASSWORD }
    return RoomClient.#enter(this.base, '/_matrix/client/v3/login', body)
  }

  /** Calls the client-server API; `path` begins after `/_matrix/client/v3`, unless it begins with `/_matrix`. */
  override call<T = Body>(method: string, path: string, body?: unknown): Promise<T> {
    return super.call<T>(method, path.startsWith('/_matrix') ? path : `/_matrix/client/v3${path}`, body)
  }

  /** Uploads or downloads bytes. */
  bytes(method: string, path: string, body?: Uint8Array): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}`, 'content-type': 'text/plain' }
    return fetch(`${this.base}${path}`, { method, headers, ...(body ? { body: Buffer.from(body) } : {}) })
  }

  async createRoom(body: object): Promise<Room> {
    return new Room(String((await this.call('POST', '/createRoom', body))['room_id']))
  }

  sync(since?: string): Promise<Body> {
    return this.call('GET', `/sync?timeout=0${since === undefined ? '' : `&since=${since}`}`)
  }

  /** Syncs until an answer satisfies `pick`; `what` is named where that takes too long. */
  async waitForSync(what: string, pick: (answer: Body) => boolean): Promise<void> {
    await until(`${what} at ${this.userId}`, async () => {
      const answer = await this.sync(this.#since)
      this.#since = String(answer['next_batch'])
      return pick(answer)
    })
  }

  async say(room: Room, body: string): Promise<string> {
    return this.sendEvent(room, 'm.room.message', { msgtype: 'm.text', body })
  }

  async sendEvent(room: Room, type: string, content: object): Promise<string> {
    const answer = await this.call('PUT', `${room.path}/send/${type}/t${transactions++}`, content)
    return String(answer['event_id'])
  }

  async setState(room: Room, type: string, content: object, stateKey = ''): Promise<string> {
    const answer = await this.call('PUT', `${room.path}/state/${type}/${encodeURIComponent(stateKey)}`, content)
    return String(answer['event_id'])
  }

  /** Returns an event of a room; undefined where the server refuses it or does not have it. */
  async event(room: Room, eventId: string): Promise<ClientEvent | undefined> {
    try {
      return (await this.call('GET', `${room.path}/event/${encodeURIComponent(eventId)}`)) as unknown as ClientEvent
    } catch (cause) {
      if (cause instanceof RequestError && (cause.status === 404 || cause.status === 403)) return undefined
      throw cause
    }
  }

  /** Returns the content of a state event; undefined where there is none. */
  async state(room: Room, type: string, stateKey = ''): Promise<Body | undefined> {
    try {
      return await this.call('GET', `${room.path}/state/${type}/${encodeURIComponent(stateKey)}`)
    } catch (cause) {
      if (cause instanceof RequestError && (cause.status === 404 || cause.status === 403)) return undefined
      throw cause
    }
  }

  /** Returns the membership of a user in a room, as this client's server knows it. */
  async membership(room: Room, userId: string): Promise<string | undefined> {
    const content = await this.state(room, 'm.room.member', userId)
    return content && String(content['membership'])
  }

  /** Returns the texts of the last messages, newest first. */
  async texts(room: Room, limit = 100): Promise<string[]> {
    const page = await this.call('GET', `${room.path}/messages?dir=b&limit=${limit}`)
    const events = page['chunk'] as readonly ClientEvent[]
    return events.flatMap(({ content }) => (typeof content['body'] === 'string' ? [content['body']] : []))
  }
}

/** A room by its ID. */
export class Room {
  readonly id: string

  constructor(id: string) {
    this.id = id
  }
  get path(): string {
    return `/rooms/${encodeURIComponent(this.id)}`
  }
}

/** Polls until `ask` returns a value and returns it; throws with `what` after `withinMs`. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  withinMs = WITHIN_MS,
): Promise<T> {
  for (const end = Date.now() + withinMs; ; ) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > end) throw new Error(`${what}: it did not come within ${withinMs / 1000} seconds`)
    await delay(150)
  }
}

/** Returns the result of an attempt; undefined where the server answers `M_LIMIT_EXCEEDED`. */
export async function unlessLimited<T>(attempt: () => Promise<T>): Promise<T | undefined> {
  return attempt().catch((cause: unknown) => {
    if (cause instanceof RequestError && cause.errcode === 'M_LIMIT_EXCEEDED') return undefined
    throw cause
  })
}
