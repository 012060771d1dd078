// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { roomVersion } from '@myelin/rules/room-versions'
import { publicForeignRoom } from '@myelin/testing/foreign-room'
import type { ForeignRoom } from '@myelin/testing/foreign-room'
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { prepareTransaction, sendTransactions } from '@myelin/testing/fake-servers/push'
import type { PreparedTransaction } from '@myelin/testing/fake-servers/push'
import type { TlsServers } from '@myelin/testing/fake-servers/tls-servers'
import { latencyOf, round } from '@myelin/testing/latency'
import { registerMany } from './fixture.ts'
import type { Workload, WorkloadRun } from './workload.ts'
import { Watcher } from './watcher.ts'

const SERVERS = 50
const ROOMS = 100
const CELLS = [
  { size: 1, pdus: 3000 },
  { size: 10, pdus: 10_000 },
  { size: 50, pdus: 15_000 },
  { size: 50, pdus: 10_000, missing: 10 },
  { size: 50, pdus: 10_000, malformed: true },
]

/**
 * W7: 50 servers send transactions of 1, 10 and 50 PDUs into 100 rooms, each a line; then with every tenth event left
 * out (it must be asked for), then with one malformed event in each transaction. Until a local client has seen all.
 */
export const w7: Workload = {
  name: 'W7',
  title: 'inbound federation: 50 servers, 100 rooms',
  needsServers: SERVERS,
  async run(run) {
    const { servers, target } = run
    if (!servers) throw new Error('W7 needs fake servers')
    const [client] = await registerMany(target, [`w7-${target.run}`])
    if (!client) throw new Error('no user could be registered')
    const rooms = await joinedRooms(run, servers, client)
    const rows = []
    for (const cell of CELLS) rows.push(await measure(run, servers, client, rooms, cell))
    client.close()
    return rows
  },
}

async function joinedRooms({ scale, progress }: WorkloadRun, servers: TlsServers, client: MatrixClient) {
  const version = roomVersion('12')
  if (!version) throw new Error('room version 12 is not known')
  const rooms: ForeignRoom[] = []
  for (let at = 0; at < Math.max(2, Math.round(ROOMS * scale)); at++) {
    progress(`W7: joining room ${at}`)
    const host = servers.name(at)
    const room = publicForeignRoom(version, `@host:${host}`, servers.keyOf, Date.now() - 60_000 + at)
    servers.rooms.set(room.roomId, room)
    await client.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(room.roomId)}?server_name=${host}`, {})
    rooms.push(room)
  }
  return rooms
}

type Cell = (typeof CELLS)[number]

async function measure(
  { target, scale, progress }: WorkloadRun,
  servers: TlsServers,
  client: MatrixClient,
  rooms: readonly ForeignRoom[],
  cell: Cell,
) {
  const { size, missing = 0, malformed = false } = cell
  progress(`W7: building ${cell.pdus} events`)
  const each = Math.ceil((cell.pdus * scale) / rooms.length)
  const perServer = new Map<string, Pdu[][]>()
  for (const room of rooms) {
    const events = Array.from({ length: each }, (_, at) =>
      room.append({
        sender: room.creator,
        type: 'm.room.message',
        content: { msgtype: 'm.text', body: `${at} ${'x'.repeat(100)}` },
      }),
    )
    const server = room.creator.slice(room.creator.indexOf(':') + 1)
    perServer.set(server, [...(perServer.get(server) ?? []), events])
  }
  const queues = [...perServer].map(([server, lists]) =>
    transactionsOf(servers, target, server, lists, { size, missing, malformed }),
  )
  const total = rooms.length * each
  const watcher = new Watcher(client)
  await watcher.ready
  progress(`W7: transactions of ${size}, ${total} events`)
  const [durationsMs, cpuMs, startedMs] = [[] as number[], target.own?.processorMs() ?? 0, performance.now()]
  await Promise.all(queues.map((queue) => sendTransactions(target, queue, (_, ms) => durationsMs.push(ms))))
  const sentS = (performance.now() - startedMs) / 1000
  await watcher.seen(rooms.map((room) => room.last.id))
  const elapsedS = (performance.now() - startedMs) / 1000
  watcher.stop()
  const what = `${size}${missing ? ', 10 % missing' : ''}${malformed ? ', one malformed each' : ''}`
  return {
    'PDUs each': what,
    'PDUs/s judged': round(total / elapsedS),
    'PDUs/s answered': round(total / sentS),
    ...latencyOf(durationsMs),
    'server CPU us/PDU': Math.round((((target.own?.processorMs() ?? 0) - cpuMs) * 1000) / total),
  }
}

/** Returns full transactions of one server for its rooms. The last event of a room is never left out. */
function transactionsOf(
  servers: TlsServers,
  target: WorkloadRun['target'],
  server: string,
  lists: readonly (readonly Pdu[])[],
  { size, missing, malformed }: { size: number; missing: number; malformed: boolean },
): PreparedTransaction[] {
  const longest = Math.max(...lists.map(({ length }) => length))
  const line: JsonObject[] = []
  for (let at = 0; at < longest; at++) {
    for (const list of lists) {
      const pdu = list[at]
      if (pdu && (missing === 0 || at % missing !== 3 || at === list.length - 1)) line.push(pdu.json)
    }
  }
  const prepared: PreparedTransaction[] = []
  const step = malformed ? size - 1 : size
  for (let at = 0; at < line.length; at += step) {
    const pdus = line.slice(at, at + step)
    const bad = malformed ? [{ ...(pdus[0] as JsonObject), depth: 'deep' }] : []
    prepared.push(prepareTransaction(servers, target, server, [...bad, ...pdus]))
  }
  return prepared
}
