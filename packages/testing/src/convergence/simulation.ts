// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import { partialRooms } from '@myelin/storage/federation/partial-rooms'
import { roomsToResolve } from '@myelin/storage/rooms/append/resolved-state'
import { roomsWithStagedPdus } from '@myelin/storage/federation/staged-pdus'
import type { TestNetwork } from '../network.ts'
import type { Answer, TestServer } from '../server.ts'
import { SyncedClient } from '../clients/synced-client.ts'
import type { AwaitedDatabases } from './awaited-database.ts'
import { Chance } from './chance.ts'
import { PER_SERVER } from './server-pool.ts'
import type { ServerPool, User } from './server-pool.ts'

/** A user with a client that follows `/sync` in slices. */
export interface SyncedUser extends User {
  readonly client: SyncedClient
}

type Citizens = readonly [SyncedUser, ...SyncedUser[]]

const VERSIONS = ['12', '12', '12', '11', '11', '10', '9', '7', '6', '3', '2', '1'] as const
/** The number of event loop turns before the clock moves. */
const TURNS = 6
const STEP_MS = 250
/** By the stopped clock: longer than any server is left alone after a failure. */
const PATIENCE_MS = 3_600_000

/** A room on three servers with two users each; a seed decides the faults of the network. */
export class Simulation {
  readonly network: TestNetwork
  readonly users: Citizens
  readonly roomId: RoomId
  readonly chance: Chance
  /** The requests of users that are not answered yet. */
  readonly #open = new Set<Promise<unknown>>()
  #failure: Error | undefined

  readonly #databases: AwaitedDatabases

  private constructor(parts: Pick<Simulation, 'network' | 'users' | 'roomId' | 'chance'>, databases: AwaitedDatabases) {
    this.network = parts.network
    this.users = parts.users
    this.roomId = parts.roomId
    this.chance = parts.chance
    this.#databases = databases
  }

  /** Creates one: a user of each server is in the room, and users of all servers may change its state. */
  static async found(pool: ServerPool, seed: string): Promise<Simulation> {
    const { network, databases, people } = pool
    const chance = new Chance(seed)
    network.reseed(seed)
    // Only `state_after` gives the state after forks; `state` and a timeline do not.
    const users = people.map((person): SyncedUser => {
      const dialect = { limit: chance.pick([2, 5, 50]), stateAfter: true }
      return { ...person, client: new SyncedClient(person.server, person.token, dialect) }
    })
    const [founder, ...others] = users
    if (!founder) throw new Error('there are no users')
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
    const simulation = new Simulation({ network, users: [founder, ...others], roomId, chance }, databases)
    for (const at of [PER_SERVER, 2 * PER_SERVER]) await simulation.#settleIn(users[at] ?? founder)
    return simulation
  }

  /** Calls an endpoint below the room as a user, and returns its answer. */
  async ask(who: SyncedUser, method: string, rest: string, body?: JsonObject): Promise<Answer> {
    const path = rest.startsWith('/') ? rest : `/_matrix/client/v3/rooms/${encodeURIComponent(this.roomId)}/${rest}`
    const answer = await who.server.call(method, path, {
      token: who.token,
      ...(method === 'GET' ? {} : { body: body ?? {} }),
    })
    if (answer.status === 500) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer
  }

  /** Starts a task that runs while time passes; the simulation fails if the task fails. */
  begin(doing: Promise<unknown>): void {
    const watched = doing
      .catch((cause: unknown) => (this.#failure ??= cause instanceof Error ? cause : new Error(String(cause))))
      .finally(() => this.#open.delete(watched))
    this.#open.add(watched)
  }

  /** Advances the clock in steps. */
  async pass(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += STEP_MS) {
      await this.#turns()
      this.network.clock.advance(STEP_MS)
    }
  }

  /** Waits for a promise while the clock advances. */
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

  /** Waits until all requests are answered and all events sent and processed. */
  async calm(): Promise<void> {
    for (let passedMs = 0; passedMs < PATIENCE_MS; passedMs += STEP_MS) {
      await this.#turns()
      if (await this.#isCalm()) {
        if (this.#failure) throw this.#failure
        return
      }
      this.network.clock.advance(STEP_MS)
    }
    throw new Error('the simulation does not come to rest')
  }

  async #isCalm(): Promise<boolean> {
    if (this.#open.size > 0 || this.network.underWay > 0) return false
    for (const server of this.network.servers) if (!(await isAtRest(server))) return false
    return true
  }

  async #settleIn(who: SyncedUser): Promise<void> {
    const joined = await this.during(
      this.ask(who, 'POST', `/_matrix/client/v3/join/${encodeURIComponent(this.roomId)}?via=one.test`),
    )
    if (joined.status !== 200) throw new Error(JSON.stringify(joined.body))
    await this.calm()
  }

  /** Runs all ready tasks; the clock does not advance while a database writes. */
  async #turns(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) {
      do await new Promise<void>((resolve) => setImmediate(resolve))
      while (this.#databases.isBusy)
    }
  }
}

/** Returns whether a server has sent, processed and resolved everything. */
async function isAtRest({ rt, workers }: TestServer): Promise<boolean> {
  const { read } = rt.db
  if (workers.outbound.busyCount > 0) return false
  if ((await roomsWithStagedPdus(read, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)).length > 0) return false
  if ((await roomsToResolve(read, 1)).length > 0) return false
  return !(await partialRooms(read)).some(({ leftTs }) => leftTs === 0)
}
