// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import type { EventId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { StateKey } from '@myelin/rules/auth/state-key'
import type { ForeignRoom } from '@myelin/testing/foreign-room'
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { prepareTransaction, sendTransactions } from '@myelin/testing/fake-servers/push'
import { hostedRoom, memberId } from '@myelin/testing/fake-servers/hosted-rooms'
import type { TlsServers } from '@myelin/testing/fake-servers/tls-servers'
import { round } from '@myelin/testing/latency'
import { registerMany } from './fixture.ts'
import type { Target } from '@myelin/testing/processes/target'
import type { Workload, WorkloadRun } from './workload.ts'
import { bystander } from './bystander.ts'
import type { Bystander } from './bystander.ts'
import { Watcher } from './watcher.ts'

const SERVERS = 20
const CELLS = [
  { members: 100, branches: 2 },
  { members: 100, branches: 20 },
  { members: 100, branches: 200 },
  { members: 100, branches: 1000 },
  { members: 10_000, branches: 20 },
  { members: 10_000, branches: 200 },
  { members: 10_000, branches: 1000 },
]
/** The maximum number of `prev_events` of an event. */
const TIPS = 20

/**
 * W8: a room of N members splits into k branches, each of which changes the power levels or five memberships. Events
 * with 20 `prev_events` each merge them, while a bystander sends in another room.
 */
export const w8: Workload = {
  name: 'W8',
  title: 'state resolution: k branches over N members, and a bystander',
  needsServers: SERVERS,
  async run(run) {
    const { servers, target } = run
    if (!servers) throw new Error('W8 needs fake servers')
    const [client, other] = await registerMany(target, [`w8-${target.run}`, `w8b-${target.run}`])
    if (!client || !other) throw new Error('no user could be registered')
    const beside = await bystander(other)
    const rows = []
    for (const cell of CELLS) rows.push(await measure(run, servers, client, beside, cell))
    client.close()
    other.close()
    return rows
  },
}

type Cell = (typeof CELLS)[number]

async function measure(run: WorkloadRun, servers: TlsServers, client: MatrixClient, beside: Bystander, cell: Cell) {
  const { target, progress, scale } = run
  const members = Math.round(cell.members * scale)
  progress(`W8: making a room of ${members}`)
  const room = hostedRoom(servers, members)
  const joinedMs = performance.now()
  const host = servers.name(0)
  await client.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(room.roomId)}?server_name=${host}`, {})
  const joinS = (performance.now() - joinedMs) / 1000
  const branches = branchesOf(room, servers, cell.branches)
  const tips = branches.flatMap((branch) => branch.at(-1)?.id ?? [])
  const watcher = new Watcher(client)
  await watcher.ready
  const before = await beside.during(() => delay(2000))
  progress(`W8: ${cell.branches} branches over ${members} members`)
  const cpuMs = target.own?.processorMs() ?? 0
  const forking = await timed(beside, () => land(target, servers, watcher, branches.flat(), tips.at(-1)))
  const merges = mergesOf(room, tips)
  const merging = await timed(beside, () => land(target, servers, watcher, merges, merges.at(-1)?.id))
  const cpuS = ((target.own?.processorMs() ?? 0) - cpuMs) / 1000
  watcher.stop()
  return {
    members,
    branches: cell.branches,
    'join s': round(joinS),
    'branches s': round(forking.elapsedS),
    'ms/merge': round((merging.elapsedS * 1000) / merges.length),
    'merges s': round(merging.elapsedS),
    'server CPU s': round(cpuS),
    'bystander p50/p99/max before': show(before),
    'while forking': show(forking.bystander),
    'while merging': show(merging.bystander),
  }
}

const show = ({ p50, p99, max }: { p50: number; p99: number; max: number }) => `${p50} / ${p99} / ${max}`

async function timed(beside: Bystander, work: () => Promise<void>) {
  const startedMs = performance.now()
  let endedMs = startedMs
  const bystander = await beside.during(async () => {
    await work()
    endedMs = performance.now()
  })
  return { elapsedS: (endedMs - startedMs) / 1000, bystander }
}

/** Sends events of the first server, and waits until the last of them was seen. */
async function land(
  target: Target,
  servers: TlsServers,
  watcher: Watcher,
  events: readonly Pdu[],
  last: EventId | undefined,
) {
  const transactions = []
  for (let at = 0; at < events.length; at += 50) {
    transactions.push(
      prepareTransaction(
        servers,
        target,
        servers.name(0),
        events.slice(at, at + 50).map(({ json }) => json),
      ),
    )
  }
  const seen = watcher.seen(last === undefined ? [] : [last])
  await sendTransactions(target, transactions, () => {})
  await seen
}

/** Returns branches of which every other one changes the power levels; the others kick five members one after the other. */
function branchesOf(room: ForeignRoom, servers: TlsServers, count: number): Pdu[][] {
  const root = room.last.id
  const [sender, joined] = [
    room.creator,
    [...room.state.values()].filter(({ type }) => type === 'm.room.member').length - 2,
  ]
  return Array.from({ length: count }, (_, branch) => {
    const changes: { type: string; stateKey: string; content: JsonObject }[] =
      branch % 2 === 0
        ? [
            {
              type: 'm.room.power_levels',
              stateKey: '',
              content: { users: { [memberId(servers, branch % joined)]: 50 } },
            },
          ]
        : Array.from({ length: 5 }, (_each, at) => ({
            type: 'm.room.member',
            stateKey: memberId(servers, (branch * 5 + at) % joined),
            content: { membership: 'leave' },
          }))
    let previous = root
    return changes.map((change) => {
      const pdu = room.build({ sender, ...change, prevEvents: [previous], state: stateFor(room, change.stateKey) })
      room.events.set(pdu.id, pdu)
      previous = pdu.id
      return pdu
    })
  })
}

/** Returns the part of the state before the branches that authorizes a change. */
function stateFor(room: ForeignRoom, target: string): ReadonlyMap<StateKey, Pdu> {
  const keys = [
    stateKey('m.room.power_levels'),
    stateKey('m.room.member', room.creator),
    stateKey('m.room.member', target),
    stateKey('m.room.join_rules'),
  ]
  return new Map(
    keys.flatMap((key) => {
      const pdu = room.state.get(key)
      return pdu ? [[key, pdu] as const] : []
    }),
  )
}

/** Returns messages that each continue 20 forward extremities, until one is left. */
function mergesOf(room: ForeignRoom, tips: readonly EventId[]): Pdu[] {
  const merges: Pdu[] = []
  for (let extremities = tips; extremities.length > 1; ) {
    const next: EventId[] = []
    for (let at = 0; at < extremities.length; at += TIPS) {
      const prevEvents = extremities.slice(at, at + TIPS)
      const pdu = room.build({
        sender: room.creator,
        type: 'm.room.message',
        content: { msgtype: 'm.text', body: 'm' },
        prevEvents,
        state: stateFor(room, room.creator),
      })
      room.events.set(pdu.id, pdu)
      merges.push(pdu)
      next.push(pdu.id)
    }
    extremities = next
  }
  return merges
}
