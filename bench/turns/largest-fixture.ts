// SPDX-License-Identifier: Apache-2.0
import type { buildApp } from '@myelin/http/app/app'
import type { EventId, RoomId, ServerName, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { buildPdu } from '@myelin/rules/events/build-pdu'
import { makeMembership } from '@myelin/services/federation/membership/make-membership'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import { testSigningKey } from '@myelin/testing/runtime'
import type { TestRuntime } from '@myelin/testing/runtime'
import { joinAll, registerWithDevices } from './large-rooms.ts'

/** The server that reads rooms of this one, and is in them. */
export const FAR = 'far.test' as ServerName

const SIZES = { rooms: 2000, spaceRooms: 300, messages: 1000, members: 50_000, servers: 500, keyedUsers: 1000 }
const DEVICES_EACH = 10
const v3 = '/_matrix/client/v3'

/** The part of the whole size that a fixture has; `roomScale` of the number of rooms and messages. */
interface FixtureScale {
  readonly scale: number
  readonly roomScale: number
}

/** A user and rooms as large as they may be; made through the client-server API, and members by the services. */
export class LargestFixture {
  readonly #rt: TestRuntime
  readonly #app: ReturnType<typeof buildApp>
  readonly #sizes: Readonly<Record<keyof typeof SIZES, number>>
  token = ''
  userId = ''
  roomId = ''
  spaceId = ''
  /** The root of a thread with half of the messages. */
  rootId = ''
  /** A room of many members on many servers, and the last join. */
  crowdId = ''
  lastJoinId = ''
  /** The token of a sync before all rooms. */
  firstToken = ''
  filters = { long: '', lazy: '', many: '' }
  localUsers: UserId[] = []

  constructor(rt: TestRuntime, app: ReturnType<typeof buildApp>, { scale, roomScale }: FixtureScale) {
    this.#rt = rt
    this.#app = app
    const scaled = (size: number) => Math.ceil(size * scale)
    const { rooms, spaceRooms, messages, members, servers, keyedUsers } = SIZES
    this.#sizes = {
      rooms: Math.ceil(rooms * roomScale),
      spaceRooms: scaled(spaceRooms),
      messages: Math.ceil(messages * roomScale),
      members: scaled(members),
      servers: scaled(servers),
      keyedUsers: scaled(keyedUsers),
    }
  }

  /** Makes everything. */
  async fill(): Promise<void> {
    const auth = { type: 'm.login.dummy' }
    const account = { username: 'alice', password: 'correct horse', auth }
    const alice = await this.#call('POST', `${v3}/register`, account)
    this.token = alice['access_token'] ?? ''
    this.userId = alice['user_id'] ?? ''
    this.firstToken = (await this.#call('GET', `${v3}/sync`))['next_batch'] ?? ''
    await this.#fillRooms()
    await this.#fillMessages()
    await this.#fillAccount(alice['device_id'] ?? '')
    await this.#fillCrowd()
  }

  /** Returns a join of a user of the other server for `send_join`, signed by that server. */
  async signedJoin(user: string): Promise<{ readonly url: string; readonly body: JsonObject }> {
    const roomId = this.crowdId as RoomId
    const request = { origin: FAR, roomId, userId: user as UserId, membership: 'join', versions: ['12'] } as const
    const { event } = (await makeMembership(this.#rt, request)) as { event: JsonObject }
    const template = event as JsonObject & { prev_events: EventId[]; auth_events: EventId[]; depth: number }
    const pdu = buildPdu(
      {
        roomId,
        sender: user as UserId,
        type: 'm.room.member',
        stateKey: user,
        content: { membership: 'join' },
        prevEvents: template.prev_events,
        authEvents: template.auth_events,
        depth: template.depth,
        originServerTs: this.#rt.clock.now(),
      },
      roomVersionOf('12'),
      { serverName: FAR, key: testSigningKey(FAR) },
      () => '',
    )
    return { url: `/_matrix/federation/v2/send_join/${roomId}/${encodeURIComponent(pdu.id)}`, body: pdu.json }
  }

  async #call(method: 'GET' | 'POST' | 'PUT', url: string, payload?: object): Promise<Record<string, string>> {
    this.#rt.clock.advance(60_000)
    const headers = { authorization: `Bearer ${this.token}` }
    const reply = await this.#app.inject({ method, url, headers, ...(payload ? { payload } : {}) })
    if (reply.statusCode !== 200) throw new Error(`${method} ${url}: ${reply.statusCode} ${reply.body.slice(0, 200)}`)
    return reply.json() as Record<string, string>
  }

  async #create(wishes: object): Promise<string> {
    return (await this.#call('POST', `${v3}/createRoom`, { preset: 'public_chat', ...wishes }))['room_id'] ?? ''
  }

  async #fillRooms(): Promise<void> {
    const invite = Array.from({ length: 1000 }, (_, at) => `@u${at}:one.test`)
    const initial = Array.from({ length: 1000 }, (_, at) => ({ type: 'a.b', state_key: `${at}`, content: { at } }))
    this.roomId = await this.#create({ invite, initial_state: initial })
    await joinAll(this.#rt, this.roomId as RoomId, [`@reader:${FAR}` as UserId])
    this.spaceId = await this.#create({ creation_content: { type: 'm.space' } })
    await joinAll(this.#rt, this.spaceId as RoomId, [`@reader:${FAR}` as UserId])
    for (let at = 0; at < this.#sizes.rooms; at++) {
      const child = await this.#create({ visibility: 'public', name: `room ${at}`, topic: 'x'.repeat(500) })
      if (at >= this.#sizes.spaceRooms) continue
      await this.#call('PUT', `${v3}/rooms/${this.spaceId}/state/m.space.child/${child}`, { via: ['one.test'] })
    }
  }

  async #fillMessages(): Promise<void> {
    for (let at = 0; at < this.#sizes.messages; at++) {
      const relates = at % 2 === 1 ? { 'm.relates_to': { rel_type: 'm.thread', event_id: this.rootId } } : {}
      const content = { msgtype: 'm.text', body: 'hello '.repeat(100), ...relates }
      const sent = await this.#call('PUT', `${v3}/rooms/${this.roomId}/send/m.room.message/${at}`, content)
      if (at === 0) this.rootId = sent['event_id'] ?? ''
    }
  }

  async #fillAccount(deviceId: string): Promise<void> {
    const data = `${v3}/user/${this.userId}/account_data`
    for (let at = 0; at < 12; at++) await this.#call('PUT', `${data}/big${at}`, { a: 'x'.repeat(250_000) })
    for (let at = 0; at < 3000; at++) await this.#call('PUT', `${data}/small${at}`, { at })
    const message = { a: 'x'.repeat(60_000) }
    for (let at = 0; at < 100; at++) {
      const messages = { [this.userId]: { [deviceId]: message } }
      await this.#call('PUT', `${v3}/sendToDevice/a.b/${at}`, { messages })
    }
    const types = Array.from({ length: 3000 }, (_, at) => (at < 100 ? `*${at}*` : `name${at}`))
    this.filters = {
      long: await this.#filter({ room: { timeline: { limit: 1000 } } }),
      lazy: await this.#filter({ room: { state: { lazy_load_members: true } } }),
      many: await this.#filter({ room: { timeline: { types }, state: { types } } }),
    }
  }

  async #filter(definition: object): Promise<string> {
    return (await this.#call('POST', `${v3}/user/${this.userId}/filter`, definition))['filter_id'] ?? ''
  }

  async #fillCrowd(): Promise<void> {
    this.localUsers = Array.from({ length: this.#sizes.keyedUsers }, (_, at) => `@local${at}:one.test` as UserId)
    await registerWithDevices(this.#rt, this.localUsers, DEVICES_EACH)
    this.crowdId = await this.#create({ name: 'a large room' })
    const remote = Array.from({ length: this.#sizes.members }, (_, at) => {
      const server = at % this.#sizes.servers
      return `@member${at}:${server === 0 ? FAR : `s${server}.test`}` as UserId
    })
    this.lastJoinId = await joinAll(this.#rt, this.crowdId as RoomId, [...this.localUsers, ...remote])
  }
}
