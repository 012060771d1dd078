// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import { partialRooms } from '@myelin/storage/federation/partial-rooms'
import { roomsToResolve } from '@myelin/storage/rooms/state/resolved-state'
import { roomsWithStagedPdus } from '@myelin/storage/federation/staged-pdus'
import type { TestNetwork } from '../network.ts'
import type { Answer, TestServer } from '../server.ts'
import { SyncedClient } from '../synced-client.ts'
import type { AwaitedDatabases } from './awaited-database.ts'
import { Chance } from './chance.ts'
import { PER_SERVER } from './ground.ts'
import type { Ground, Person } from './ground.ts'

/** Somebody with a client that follows /sync in slices. */
export interface Citizen extends Person {
  readonly client: SyncedClient
}

type Citizens = readonly [Citizen, ...Citizen[]]

const VERSIONS = ['12', '12', '12', '11', '11', '10', '9', '7', '6', '3', '2', '1'] as const
/** Chances to run what is ready before the clock moves. */
const TURNS = 6
const STEP_MS = 250
/** By the stopped clock: longer than any server is left alone after a failure. */
const PATIENCE_MS = 3_600_000

/** A room on three servers with two people each, whose network obeys a seed. */
export class Town {
  readonly network: TestNetwork
  readonly citizens: Citizens
  readonly roomId: RoomId
  readonly chance: Chance
  /** What people asked for and was not answered yet. */
  readonly #open = new Set<Promise<unknown>>()
  #failure: Error | undefined

  readonly #databases: AwaitedDatabases

  private constructor(parts: Pick<Town, 'network' | 'citizens' | 'roomId' | 'chance'>, databases: AwaitedDatabases) {
    this.network = parts.network
    this.citizens = parts.citizens
    this.roomId = parts.roomId
    this.chance = parts.chance
    this.#databases = databases
  }

  /** Builds one: one person of each server is in the room, and people of all of them have a say there. */
  static async found(ground: Ground, seed: string): Promise<Town> {
    const { network, databases, people } = ground
    const chance = new Chance(seed)
    network.reseed(seed)
    // What forks come to cannot be told by `state` and a timeline: only `state_after` promises the room's state.
    const citizens = people.map((person): Citizen => {
      const dialect = { limit: chance.pick([2, 5, 50]), stateAfter: true }
      return { ...person, client: new SyncedClient(person.server, person.token, dialect) }
    })
    const [founder, ...others] = citizens
    if (!founder) throw new Error('there is nobody')
    const version = chance.pick(VERSIONS)
    const powers = others.map(({ userId }, at) => [userId, [0, 100, 0, 50, 0][at] ?? 0] as const)
    if (!roomVersionOf(version).auth.creatorsOutrankEveryone) powers.push([founder.userId, 100])
    const created = await founder.server.call('POST', '/_matrix/client/v3/createRoom', {
      token: founder.token,
      body: {
        preset: 'public_chat',
        room_version: version,
        power_level_content_override: { users: Object.fromEntries(powers), invite: 0 },
      },
    })
    if (created.status !== 200) throw new Error(JSON.stringify(created.body))
    const roomId = String(created.body['room_id']) as RoomId
    const town = new Town({ network, citizens: [founder, ...others], roomId, chance }, databases)
    for (const at of [PER_SERVER, 2 * PER_SERVER]) await town.#settleIn(citizens[at] ?? founder)
    return town
  }

  /** Calls the client API below the room, in somebody's name; answers once it is answered. */
  async ask(who: Citizen, method: string, rest: string, body?: JsonObject): Promise<Answer> {
    const path = rest.startsWith('/') ? rest : `/_matrix/client/v3/rooms/${encodeURIComponent(this.roomId)}/${rest}`
    const answer = await who.server.call(method, path, {
      token: who.token,
      ...(method === 'GET' ? {} : { body: body ?? {} }),
    })
    if (answer.status === 500) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer
  }

  /** Lets something happen while time goes on; its failure is the town's. */
  begin(doing: Promise<unknown>): void {
    const watched = doing
      .catch((cause: unknown) => (this.#failure ??= cause instanceof Error ? cause : new Error(String(cause))))
      .finally(() => this.#open.delete(watched))
    this.#open.add(watched)
  }

  /** Lets that much time go by. */
  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      await this.#turns()
      this.network.clock.advance(STEP_MS)
    }
  }

  /** Waits for something, time going on meanwhile. */
  async during<Value>(doing: Promise<Value>): Promise<Value> {
    let isDone = false
    const ended = doing.finally(() => (isDone = true))
    ended.catch(() => {})
    for (let passedMs = 0; passedMs < PATIENCE_MS; passedMs += STEP_MS) {
      await this.#turns()
      if (isDone) return ended
      this.network.clock.advance(STEP_MS)
    }
    throw new Error('something takes for ever')
  }

  /** Waits until everybody was answered, everything was sent and judged. */
  async calm(): Promise<void> {
    for (let passedMs = 0; passedMs < PATIENCE_MS; passedMs += STEP_MS) {
      await this.#turns()
      if (await this.#isCalm()) {
        if (this.#failure) throw this.#failure
        return
      }
      this.network.clock.advance(STEP_MS)
    }
    throw new Error('the town does not come to rest')
  }

  async #isCalm(): Promise<boolean> {
    if (this.#open.size > 0 || this.network.underWay > 0) return false
    for (const server of this.network.servers) if (!(await isAtRest(server))) return false
    return true
  }

  async #settleIn(who: Citizen): Promise<void> {
    const joined = await this.during(
      this.ask(who, 'POST', `/_matrix/client/v3/join/${encodeURIComponent(this.roomId)}?via=one.test`),
    )
    if (joined.status !== 200) throw new Error(JSON.stringify(joined.body))
    await this.calm()
  }

  /** Lets run what is ready; the time stands while somebody writes. */
  async #turns(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) {
      do await new Promise<void>((resolve) => setImmediate(resolve))
      while (this.#databases.isBusy)
    }
  }
}

/** Whether a server has sent and judged everything, and worked out what came of it. */
async function isAtRest({ rt, workers }: TestServer): Promise<boolean> {
  const { read } = rt.db
  if (workers.outbound.busyCount > 0) return false
  if ((await roomsWithStagedPdus(read, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).length > 0) return false
  if ((await roomsToResolve(read, 1)).length > 0) return false
  return !(await partialRooms(read)).some(({ leftTs }) => leftTs === 0)
}
