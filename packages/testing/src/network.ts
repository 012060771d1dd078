// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import type { ServiceConfig } from '@myelin/kit/settings'
import type { ServerName } from '@myelin/matrix/ids'
import { RemoteError } from '@myelin/remote/remote-error'
import type { IncomingReply, OutgoingRequest, Transport } from '@myelin/remote/transport'
import type { Database, DatabaseEvents } from '@myelin/storage/engine/database'
import { openTemporarySqlite } from './databases.ts'
import type { OpenDatabase } from './databases.ts'
import type { TestServer } from './server.ts'
import { testServer } from './server.ts'

/** The faults of requests on their way; none by default. */
export interface Faults {
  /** The share of requests that are lost, half of them after they arrived: the answer is what gets lost then. */
  readonly loss?: number
  /** The maximum delay each way, by the stopped clock. Requests may overtake each other. */
  readonly delayMs?: number
}

/** A request that went over the network, and what became of it. */
interface Crossing {
  readonly from: ServerName
  readonly to: ServerName
  readonly method: string
  readonly target: string
  /** The answer's status; undefined where there was none. */
  status: number | undefined
}

/** Servers in one process, and a network between them with faults that the test chooses. */
export interface TestNetwork {
  readonly servers: readonly TestServer[]
  readonly clock: StoppedClock
  /** Every request so far, in the order of sending. */
  readonly crossings: readonly Crossing[]
  /** The number of requests in progress. */
  readonly underWay: number
  /** The server of that name. */
  readonly server: (name: string) => TestServer
  /** From now on, requests suffer these. */
  setFaults(faults: Faults): void
  /** Partitions the network into groups; a server in no group is isolated. */
  partition(...groups: readonly (readonly string[])[]): void
  /** Ends faults and partitions; requests in progress are not affected. */
  heal(): void
  /** From here on chance is that of another seed, and requests are counted anew: what came before has no part in what comes. */
  reseed(seed: string): void
  /** Moves the clock until nothing is on its way and `isDone` holds; throws after `maxMs` of the clock's time. */
  settle(isDone?: () => boolean | Promise<boolean>, maxMs?: number): Promise<void>
  /** Stops a server and starts it again over its database. */
  restart(name: string): Promise<TestServer>
  close(): Promise<void>
}

const NAMES = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten']
/** The number of event loop turns before the clock moves. */
const TURNS = 20

/** Starts that many servers, `one.test`, `two.test` and so on; the same seed gives the same faults for the same requests. */
export async function testNetwork(options: {
  readonly servers: number
  readonly open?: OpenDatabase
  readonly seed?: string
  readonly config?: (name: string) => Partial<ServiceConfig>
}): Promise<TestNetwork> {
  const wires = new Wires(options.seed ?? 'network')
  const names = NAMES.slice(0, options.servers).map((name) => `${name}.test` as ServerName)
  const databases = new Map<string, OpenDatabase>()
  const closing: (() => Promise<void>)[] = []
  const start = async (name: ServerName): Promise<TestServer> => {
    const config = { serverName: name, baseUrl: `https://${name}/`, ...options.config?.(name) }
    const open = databases.get(name) ?? lastingDatabase(options.open ?? openTemporarySqlite, closing)
    databases.set(name, open)
    const server = await testServer(open, config, { clock: wires.clock, transport: wires.transportOf(name) })
    wires.connect(server)
    return server
  }
  const servers = await Promise.all(names.map(start))
  return {
    servers,
    clock: wires.clock,
    crossings: wires.crossings,
    get underWay() {
      return wires.underWay
    },
    server: (name) => wires.server(name),
    setFaults: (faults) => wires.setFaults(faults),
    partition: (...groups) => wires.partition(groups),
    heal: () => {
      wires.setFaults({})
      wires.partition(undefined)
    },
    reseed: (seed) => wires.reseed(seed),
    settle: (isDone, maxMs) => wires.settle(isDone, maxMs),
    restart: async (name) => {
      await wires.server(name).close()
      return start(name as ServerName)
    },
    close: async () => {
      for (const name of names) await wires.server(name).close()
      for (const close of closing) await close()
    },
  }
}

/** Opens the same database each time; it is closed when the test ends. */
function lastingDatabase(open: OpenDatabase, closing: (() => Promise<void>)[]): OpenDatabase {
  let opened: Promise<Database> | undefined
  let listening: DatabaseEvents | undefined
  return async (events) => {
    listening = events
    if (!opened) {
      opened = open({ committed: (hint) => listening?.committed(hint) })
      closing.push(async () => (await opened)?.close())
    }
    const database = await opened
    return { ...database, close: async () => {} }
  }
}

class Wires {
  readonly clock = new StoppedClock()
  readonly crossings: Crossing[] = []
  readonly #servers = new Map<string, TestServer>()
  #seed: string
  #faults: Faults = {}
  #groups: readonly (readonly string[])[] | undefined
  #underWay = 0

  constructor(seed: string) {
    this.#seed = seed
  }

  connect(server: TestServer): void {
    this.#servers.set(server.name, server)
  }

  get underWay(): number {
    return this.#underWay
  }

  server(name: string): TestServer {
    const server = this.#servers.get(name)
    if (!server) throw new Error(`there is no server ${name}`)
    return server
  }

  setFaults(faults: Faults): void {
    this.#faults = faults
  }

  reseed(seed: string): void {
    this.#seed = seed
    this.crossings.length = 0
  }

  partition(groups: readonly (readonly string[])[] | undefined): void {
    this.#groups = groups
  }

  transportOf(from: ServerName): Transport {
    return { send: (request) => this.#send(from, request), close: async () => {} }
  }

  async settle(isDone: () => boolean | Promise<boolean> = () => true, maxMs = 3_600_000): Promise<void> {
    for (let passedMs = 0; passedMs <= maxMs; passedMs += 100) {
      for (let turn = 0; turn < TURNS; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
      if (this.#underWay === 0 && (await isDone())) return
      this.clock.advance(100)
    }
    throw new Error(`the network did not settle within ${maxMs} ms`)
  }

  async #send(from: ServerName, request: OutgoingRequest): Promise<IncomingReply> {
    const { destination: to, method, target } = request
    const crossing: Crossing = { from, to, method, target, status: undefined }
    const number = this.crossings.push(crossing)
    this.#underWay++
    try {
      const reply = await this.#carry(from, request, number)
      crossing.status = reply.status
      return reply
    } finally {
      this.#underWay--
    }
  }

  async #carry(from: ServerName, request: OutgoingRequest, number: number): Promise<IncomingReply> {
    const { loss = 0, delayMs = 0 } = this.#faults
    const chance = (what: string): number => this.#chance(`${number} ${from} ${request.destination} ${what}`)
    const isLost = chance('loss') < loss
    const reachesThere = !isLost || chance('which') < 0.5
    const wayMs = [Math.floor(chance('there') * delayMs), Math.floor(chance('back') * delayMs)] as const
    await this.#pass(wayMs[0], request)
    const server = this.#servers.get(request.destination)
    if (!server || !reachesThere || this.#isCut(from, request.destination)) throw unreachable(request)
    const reply = await server.receive(request)
    await this.#pass(wayMs[1], request)
    if (isLost || this.#isCut(from, request.destination)) throw unreachable(request)
    return reply
  }

  /** Time on the wire, by the stopped clock; longer than the caller waits is as good as lost. */
  #pass(ms: number, request: OutgoingRequest): Promise<void> {
    if (request.signal?.aborted === true) return Promise.reject(unreachable(request))
    if (ms === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const late = ms > request.timeoutMs
      this.clock.later(Math.min(ms, request.timeoutMs), () => (late ? reject(unreachable(request)) : resolve()))
    })
  }

  #isCut(from: string, to: string): boolean {
    return this.#groups !== undefined && !this.#groups.some((group) => group.includes(from) && group.includes(to))
  }

  #chance(what: string): number {
    return hash('sha256', `${this.#seed} ${what}`, 'buffer').readUInt32BE(0) / 2 ** 32
  }
}

function unreachable({ destination, method, target }: OutgoingRequest): RemoteError {
  return new RemoteError('unreachable', `${method} ${target} did not reach ${destination}`)
}
