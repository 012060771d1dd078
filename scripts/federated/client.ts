// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'

const PASSWORD = 'correct horse'
const WITHIN_MS = 20_000

/** What a homeserver answered with a status of 400 or more. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly status: number
  readonly errcode: string

  constructor(status: number, errcode: string, message: string) {
    super(message)
    this.status = status
    this.errcode = errcode
  }
}

/** An event as a client gets it. */
export interface ClientEvent {
  readonly event_id: string
  readonly type: string
  readonly sender: string
  readonly state_key?: string
  readonly content: Readonly<Record<string, unknown>>
  readonly unsigned?: Readonly<Record<string, unknown>>
}

type Answer = Readonly<Record<string, unknown>>

let transactions = 0

/** Somebody with an account on a homeserver; speaks nothing but the client-server API. */
export class Person {
  readonly url: string
  readonly userId: string
  readonly deviceId: string
  readonly password = PASSWORD
  /** How far this person has listened. */
  #heard: string | undefined
  readonly #token: string

  private constructor(url: string, answer: Answer) {
    this.url = url
    this.userId = String(answer['user_id'])
    this.deviceId = String(answer['device_id'])
    this.#token = String(answer['access_token'])
  }

  /** Makes an account; the server must let anybody do so. */
  static async register(url: string, username: string): Promise<Person> {
    const body = { username, password: PASSWORD, auth: { type: 'm.login.dummy' } }
    return new Person(url, await request(url, 'POST', '/_matrix/client/v3/register', { body }))
  }

  /** The same person with a second device. */
  async anotherDevice(): Promise<Person> {
    const body = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: this.userId },
      password: PASSWORD,
    }
    return new Person(this.url, await request(this.url, 'POST', '/_matrix/client/v3/login', { body }))
  }

  /** Calls the client-server API; `path` begins after `/_matrix/client/v3`, unless it begins with `/_matrix`. */
  call(method: string, path: string, body?: object): Promise<Answer> {
    const whole = path.startsWith('/_matrix') ? path : `/_matrix/client/v3${path}`
    return request(this.url, method, whole, { token: this.#token, ...(body ? { body } : {}) })
  }

  /** Uploads or downloads bytes. */
  bytes(method: string, path: string, body?: Uint8Array): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'text/plain' }
    return fetch(`${this.url}${path}`, { method, headers, ...(body ? { body: Buffer.from(body) } : {}) })
  }

  async createRoom(wishes: object): Promise<Room> {
    return new Room(String((await this.call('POST', '/createRoom', wishes))['room_id']))
  }

  sync(since?: string): Promise<Answer> {
    return this.call('GET', `/sync?timeout=0${since === undefined ? '' : `&since=${since}`}`)
  }

  /** Listens on until something is heard that `pick` finds. */
  async hears(what: string, pick: (answer: Answer) => boolean): Promise<void> {
    await until(`${what} at ${this.userId}`, async () => {
      const answer = await this.sync(this.#heard)
      this.#heard = String(answer['next_batch'])
      return pick(answer)
    })
  }

  async say(room: Room, body: string): Promise<string> {
    return this.send(room, 'm.room.message', { msgtype: 'm.text', body })
  }

  async send(room: Room, type: string, content: object): Promise<string> {
    const answer = await this.call('PUT', `${room.path}/send/${type}/t${transactions++}`, content)
    return String(answer['event_id'])
  }

  async setState(room: Room, type: string, content: object, stateKey = ''): Promise<string> {
    const answer = await this.call('PUT', `${room.path}/state/${type}/${encodeURIComponent(stateKey)}`, content)
    return String(answer['event_id'])
  }

  /** One event of a room, or nothing where it is not there (yet). */
  async event(room: Room, eventId: string): Promise<ClientEvent | undefined> {
    try {
      return (await this.call('GET', `${room.path}/event/${encodeURIComponent(eventId)}`)) as unknown as ClientEvent
    } catch (cause) {
      if (cause instanceof Refused && (cause.status === 404 || cause.status === 403)) return undefined
      throw cause
    }
  }

  /** The content of a state event, or nothing. */
  async state(room: Room, type: string, stateKey = ''): Promise<Answer | undefined> {
    try {
      return await this.call('GET', `${room.path}/state/${type}/${encodeURIComponent(stateKey)}`)
    } catch (cause) {
      if (cause instanceof Refused && (cause.status === 404 || cause.status === 403)) return undefined
      throw cause
    }
  }

  /** Who is how in a room, as this person's server knows it. */
  async membership(room: Room, userId: string): Promise<string | undefined> {
    const content = await this.state(room, 'm.room.member', userId)
    return content && String(content['membership'])
  }

  /** The newest messages' texts, the newest first. */
  async texts(room: Room, limit = 100): Promise<string[]> {
    const page = await this.call('GET', `${room.path}/messages?dir=b&limit=${limit}`)
    const events = page['chunk'] as readonly ClientEvent[]
    return events.flatMap(({ content }) => (typeof content['body'] === 'string' ? [content['body']] : []))
  }
}

/** A room by its id. */
export class Room {
  readonly id: string

  constructor(id: string) {
    this.id = id
  }
  get path(): string {
    return `/rooms/${encodeURIComponent(this.id)}`
  }
}

/** Asks again and again until the answer is what is wanted; throws with `what` when that takes too long. */
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

async function request(
  url: string,
  method: string,
  path: string,
  { body, token }: { readonly body?: object; readonly token?: string },
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as Answer
  if (response.ok) return answer
  throw new Refused(
    response.status,
    String(answer['errcode']),
    `${method} ${path} was answered ${response.status} ${JSON.stringify(answer)}`,
  )
}

/** Undefined where a server says that it is asked too often. */
export async function patiently<T>(attempt: () => Promise<T>): Promise<T | undefined> {
  return attempt().catch((cause: unknown) => {
    if (cause instanceof Refused && cause.message.includes('M_LIMIT_EXCEEDED')) return undefined
    throw cause
  })
}
