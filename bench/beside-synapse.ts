// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { RoomId } from '@myelin/matrix/ids'
import { MatrixClient, registerUsers } from '@myelin/testing/clients/matrix-client'
import { hostedRoom } from '@myelin/testing/fake-servers/hosted-rooms'
import { startTlsServers } from '@myelin/testing/fake-servers/tls-servers'
import type { TlsServers } from '@myelin/testing/fake-servers/tls-servers'
import { round } from '@myelin/testing/latency'
import { freePort } from '@myelin/testing/processes/free-port'
import { startPostgres } from '@myelin/testing/processes/postgres-server'
import { startServerProcess } from '@myelin/testing/processes/server-process'
import { inParallel } from './workloads/fixture.ts'
import { askRoomList, median, message } from './workloads/sliding-sync.ts'

/**
 * W10 beside Synapse: sliding sync of both servers on one machine, in turns. Simulated servers host the rooms and all their
 * members; an account of each server joins them over federation, so both have the same rooms. `--python` names a Python with
 * `matrix-synapse` and `psycopg2`; `--alone` leaves Synapse out. Beside the time, it measures the processor time of the server and
 * its database, which depends less on what else the machine does.
 */
const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    rooms: { type: 'string', default: '2000' },
    few: { type: 'string', default: '200' },
    large: { type: 'string', default: '50000' },
    turns: { type: 'string', default: '5' },
    repeats: { type: 'string', default: '10' },
    database: { type: 'string', default: 'sqlite' },
    alone: { type: 'boolean', default: false },
  },
})
const MEMBERS = 10
const SETTLE_MS = 2_000
const SERVERS = 20
/** The rooms in which messages are sent. */
const BUSY_ROOMS = 50
const NO_LIMIT = { per_second: 1_000_000, burst_count: 1_000_000 }
const [rooms, few, large] = [Number(values.rooms), Number(values.few), Number(values.large)]

/** A server under test, with its accounts. */
interface Side {
  readonly name: string
  readonly accounts: readonly { readonly rooms: number; readonly client: MatrixClient }[]
  readonly sender: MatrixClient
  readonly busy: readonly string[]
  /** Returns the processor time of the server and its database so far, in ms. */
  readonly processorMs: () => number
  close(): Promise<void>
}

const servers = await startTlsServers(SERVERS)
const sides = await Promise.all([myelin(), ...(values.alone ? [] : [synapse()])])
try {
  await compare()
} finally {
  for (const side of sides) await side.close()
  await servers.close()
}

async function compare(): Promise<void> {
  const figures = new Map<string, number[]>()
  const note = (name: string, ms: number) => figures.set(name, [...(figures.get(name) ?? []), ms])
  for (let turn = 0; turn <= Number(values.turns); turn++) {
    for (const side of sides) {
      for (const account of side.accounts) {
        const all = await measured(side, account.client, turn)
        console.log(`turn ${turn}: ${side.name}, ${account.rooms} rooms: ${JSON.stringify(all)}`)
        // The first turn warms both up.
        if (turn === 0) continue
        for (const [name, ms] of Object.entries(all)) note(`${side.name}, ${account.rooms} rooms: ${name}`, ms)
      }
    }
  }
  console.table(
    Object.fromEntries([...figures].map(([name, all]) => [name, { median: round(median(all)), all: all.join(' ') }])),
  )
}

async function measured({ sender, busy, processorMs }: Side, client: MatrixClient, turn: number) {
  const [firsts, nexts]: [number[], number[]] = [[], []]
  let pos = ''
  // What was sent before is still on its way to the servers in the rooms.
  await delay(SETTLE_MS)
  const repeats = Number(values.repeats)
  const startMs = processorMs()
  for (let serial = 0; serial < repeats; serial++) {
    const answer = await askRoomList(client, `first-${serial % 5}`)
    firsts.push(answer.ms)
    pos = answer.pos
  }
  const firstMs = processorMs() - startMs
  let nextMs = 0
  const connId = `first-${(repeats - 1) % 5}`
  for (let serial = 0; serial < repeats; serial++) {
    await message(sender, busy[serial % busy.length] ?? '', `${turn}-${serial}-${client.userId}`)
    await delay(200)
    const beforeMs = processorMs()
    const answer = await askRoomList(client, connId, pos)
    nextMs += processorMs() - beforeMs
    pos = answer.pos
    nexts.push(answer.ms)
  }
  return {
    'first ms': round(median(firsts)),
    'next ms': round(median(nexts)),
    'first, processor ms': round(firstMs / repeats),
    'next, processor ms': round(nextMs / repeats),
  }
}

async function myelin(): Promise<Side> {
  const postgres = values.database === 'postgres' ? await startPostgres() : undefined
  const own = await startServerProcess({ database: postgres?.url, settings: servers.settings })
  const close = async () => {
    await own.close()
    await postgres?.stop()
  }
  const processorMs = () => processorMsOf(own.pid()) + (postgres ? processorMsOf(postgres.pid) : 0)
  return filled({ name: 'Myelin', url: own.url, secret: own.secret, close, at: 0, processorMs })
}

async function synapse(): Promise<Side> {
  const [postgres, port] = [await startPostgres(), await freePort()]
  const folder = mkdtempSync(join(tmpdir(), 'myelin-synapse-'))
  const { hostname, port: postgresPort, username } = new URL(postgres.url)
  const [, ca = ''] = /ca_list: \["([^"]+)"\]/.exec(servers.settings) ?? []
  const config = {
    server_name: 'synapse.test',
    public_baseurl: `http://127.0.0.1:${port}/`,
    listeners: [{ port, bind_addresses: ['127.0.0.1'], type: 'http', resources: [{ names: ['client'] }] }],
    database: {
      name: 'psycopg2',
      args: { user: username, dbname: 'postgres', host: hostname, port: postgresPort, cp_min: 5, cp_max: 10 },
      allow_unsafe_locale: true,
    },
    signing_key_path: join(folder, 'signing.key'),
    media_store_path: join(folder, 'media'),
    pid_file: join(folder, 'pid'),
    registration_shared_secret: 'bench secret',
    macaroon_secret_key: 'macaroon',
    form_secret: 'form',
    report_stats: false,
    suppress_key_server_warning: true,
    trusted_key_servers: [],
    federation_custom_ca_list: [ca],
    ip_range_blacklist: [],
    federation_ip_range_blacklist: [],
    no_proxy_hosts: ['127.0.0.0/8', '127.1.0.0/16'],
    presence: { enabled: false },
    rc_message: NO_LIMIT,
    rc_registration: NO_LIMIT,
    rc_login: { address: NO_LIMIT, account: NO_LIMIT, failed_attempts: NO_LIMIT },
    rc_joins: { local: NO_LIMIT, remote: NO_LIMIT },
    rc_joins_per_room: NO_LIMIT,
  }
  const file = join(folder, 'homeserver.yaml')
  // JSON is YAML.
  writeFileSync(file, JSON.stringify(config, undefined, 2))
  const log = openSync(join(folder, 'log'), 'a')
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_proxy$/i.test(name)))
  const key = ['-m', 'synapse.app.homeserver', '-c', file, '--generate-keys']
  await new Promise((resolve) =>
    spawn(values.python, key, { cwd: folder, env: environment, stdio: ['ignore', log, log] }).once('exit', resolve),
  )
  const child = spawn(values.python, ['-m', 'synapse.app.homeserver', '-c', file], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', log, log],
  })
  process.once('exit', () => child.kill('SIGKILL'))
  const url = `http://127.0.0.1:${port}`
  while (!(await fetch(`${url}/health`).catch(() => undefined))?.ok) {
    if (child.exitCode !== null) throw new Error(`Synapse did not start: ${folder}/log`)
    await delay(200)
  }
  const close = async () => {
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
    await postgres.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  const processorMs = () => processorMsOf(child.pid ?? 0) + processorMsOf(postgres.pid)
  return filled({ name: 'Synapse', url, secret: 'bench secret', close, at: 1, processorMs })
}

interface Started extends Pick<Side, 'name' | 'close' | 'processorMs'> {
  readonly url: string
  readonly secret: string
  /** The number of the server; each has rooms of its own. */
  readonly at: number
}

async function filled({ name, url, secret, close, at, processorMs }: Started): Promise<Side> {
  const [many, small, sender] = await registerUsers(url, secret, ['many', 'small', 'sender'])
  if (!many || !small || !sender) throw new Error('nobody could be registered')
  const startMs = performance.now()
  const ids = Array.from({ length: rooms }, (_, room) => roomOf(servers, MEMBERS, `Room ${at} ${room}`))
  const largeRoom = roomOf(servers, large, `The large room ${at}`)
  for (const client of [many, small]) await enter(client, [largeRoom])
  await whole(many, largeRoom)
  console.log(`${name}: the large room is joined after ${round((performance.now() - startMs) / 1000)} s`)
  await enter(many, ids)
  await enter(small, ids.slice(0, few))
  await enter(sender, ids.slice(0, BUSY_ROOMS))
  for (const room of ids.slice(0, few)) await whole(many, room)
  console.log(`${name}: all rooms are joined after ${round((performance.now() - startMs) / 1000)} s`)
  const accounts = [
    { rooms: few, client: small },
    { rooms, client: many },
  ]
  return { name, accounts, sender, busy: ids.slice(0, BUSY_ROOMS), close, processorMs }
}

/** Returns the processor time of a process and its children, with all their threads, in ms. */
function processorMsOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  let ms = 0
  for (const thread of threads) {
    // The thread may end meanwhile.
    try {
      ms += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ', 1)[0]) / 1e6
      for (const child of readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' '))
        if (child.trim() !== '') ms += processorMsOf(Number(child))
    } catch {}
  }
  return ms
}

function roomOf(from: TlsServers, members: number, name: string): RoomId {
  const room = hostedRoom(from, members)
  room.append({ sender: room.creator, type: 'm.room.name', stateKey: '', content: { name } })
  return room.roomId
}

async function enter(client: MatrixClient, ids: readonly RoomId[]): Promise<void> {
  await inParallel(
    Array.from({ length: 4 }, (_, index) => index),
    4,
    async (index) => {
      const connection = client.again()
      for (const [serial, room] of ids.entries()) {
        const path = `/_matrix/client/v3/join/${encodeURIComponent(room)}?server_name=${servers.name(0)}`
        if (serial % 4 === index) await connection.call('POST', path, {})
      }
      connection.close()
    },
  )
}

/** Resolves when the server knows all members of a room. */
async function whole(client: MatrixClient, room: RoomId): Promise<void> {
  const members = servers.rooms.get(room)?.state.size ?? 0
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/joined_members`
  for (;;) {
    // A room with partial state has no complete member list.
    const { joined = {} } = await client.call<{ joined?: object }>('GET', path).catch(() => ({ joined: {} }))
    if (Object.keys(joined).length >= Math.min(members - 5, large + 1)) return
    await delay(200)
  }
}
