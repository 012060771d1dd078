// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import type { Pdu } from '@myelin/matrix/pdu'
import type { ForeignRoom } from '../foreign-room.ts'
import type { Chance } from '../chance.ts'
import type { MatrixClient } from '../clients/matrix-client.ts'
import { prepareTransaction, sendTransactions } from '../fake-servers/push.ts'
import { hostedRoom, memberId } from '../fake-servers/hosted-rooms.ts'
import type { TlsServers } from '../fake-servers/tls-servers.ts'
import type { ServerProcess } from '../processes/server-process.ts'
import type { Target } from '../processes/target.ts'

/** The time at which the server is killed: after it sent a request. */
export interface KillPoint {
  readonly asked: string
  readonly afterMs: readonly [least: number, most: number]
}

/** The points at which a kill can interrupt a join. */
export const KILL_POINTS: readonly KillPoint[] = [
  { asked: 'send_join', afterMs: [0, 120] },
  { asked: 'state_ids', afterMs: [0, 60] },
  { asked: 'state', afterMs: [0, 300] },
  { asked: 'state', afterMs: [300, 900] },
  { asked: 'state', afterMs: [900, 2_000] },
]

/** The parts of a run. */
export interface JoinsRun {
  readonly server: ServerProcess
  readonly servers: TlsServers
  readonly client: MatrixClient
  readonly target: Target
  readonly chance: Chance
  readonly members: number
}

const PATIENCE_MS = 40_000
const PAUSE_MS = 100

/**
 * Joins a room with a kill during the join, while other servers send events to it; returns the faults afterwards, in
 * words.
 */
export async function killedJoin(run: JoinsRun, point: KillPoint): Promise<string[]> {
  const { server, servers, client } = run
  const room = hostedRoom(servers, run.members)
  const killed = killAt(run, point)
  const join = `/_matrix/client/v3/join/${encodeURIComponent(room.roomId)}?server_name=${servers.name(0)}`
  await untilDone(() => client.call('POST', join, {}))
  // These events are acknowledged, despite the kill.
  const said = await saySome(run, room)
  await killed
  const own = `own ${room.roomId}`
  const sent = await untilDone(() =>
    client.call<{ event_id: string }>('PUT', roomPath(room, `send/m.room.message/${encodeURIComponent(own)}`), {
      msgtype: 'm.text',
      body: own,
    }),
  )
  const last = room.append({ sender: memberId(servers, 2), type: 'm.room.message', content: { body: 'last' } })
  await push(run, [last])
  const expected = [...said, last.id, sent.event_id]
  let faults: string[] = []
  for (const startedMs = performance.now(); performance.now() - startedMs < PATIENCE_MS; await delay(PAUSE_MS)) {
    faults = await faultsOf(client, room, expected).catch((cause: Error) => [cause.message])
    if (faults.length === 0) return []
  }
  return faults.map((fault) => `${point.asked} ${point.afterMs.join('-')} ms, ${server.serverName}: ${fault}`)
}

/** Kills the server, once, some time after it asked something, and starts it again. */
function killAt({ server, servers, chance }: JoinsRun, { asked, afterMs }: KillPoint): Promise<void> {
  const after = chance.between(...afterMs)
  return new Promise((resolve, reject) => {
    servers.onRequest = ({ target }) => {
      if (target.split('/')[4] !== asked) return
      servers.onRequest = () => {}
      delay(after)
        .then(() => server.kill())
        .then(() => server.restart())
        .then(resolve, reject)
    }
  })
}

/** Lets users of other servers send messages, join and leave, and sends the events; returns the IDs of the messages. */
async function saySome(run: JoinsRun, room: ForeignRoom): Promise<string[]> {
  const { servers, members } = run
  const member = (number: number, membership: string) => {
    const user = memberId(servers, number)
    return room.append({ sender: user, type: 'm.room.member', stateKey: user, content: { membership } })
  }
  const said = [
    room.append({ sender: memberId(servers, 1), type: 'm.room.message', content: { body: 'first' } }),
    member(3, 'leave'),
    member(members + 1, 'join'),
    room.append({ sender: memberId(servers, members + 1), type: 'm.room.message', content: { body: 'I am new' } }),
    room.append({
      sender: memberId(servers, 0).replace(/^@[^:]*/, '@host'),
      type: 'm.room.topic',
      stateKey: '',
      content: { topic: 'while you came' },
    }),
  ]
  for (const each of said) await push(run, [each])
  return said.map(({ id }) => id)
}

async function push({ servers, target }: JoinsRun, pdus: readonly Pdu[]): Promise<void> {
  const transaction = prepareTransaction(
    servers,
    target,
    servers.name(0),
    pdus.map(({ json }) => json),
  )
  await untilDone(() => sendTransactions(target, [transaction], () => {}))
}

/** Tries again until it is answered: the server may be away. */
async function untilDone<T>(act: () => Promise<T>): Promise<T> {
  const startedMs = performance.now()
  for (;;) {
    try {
      return await act()
    } catch (cause) {
      if (performance.now() - startedMs > PATIENCE_MS) throw cause
      await delay(PAUSE_MS)
    }
  }
}

async function faultsOf(client: MatrixClient, room: ForeignRoom, expected: readonly string[]): Promise<string[]> {
  const { joined } = await client.call<{ joined: object }>('GET', roomPath(room, 'joined_members'))
  const state = await client.call<{ event_id: string }[]>('GET', roomPath(room, 'state'))
  const { chunk } = await client.call<{ chunk: { event_id: string }[] }>(
    'GET',
    roomPath(room, 'messages?dir=b&limit=100'),
  )
  const members = [...room.state.values()].filter(
    ({ type, content }) => type === 'm.room.member' && content['membership'] === 'join',
  )
  const shown = chunk.map(({ event_id }) => event_id)
  return [
    ...differences(
      'joined members',
      Object.keys(joined),
      members.flatMap(({ stateKey }) => stateKey ?? []),
    ),
    ...differences(
      'the state',
      state.map(({ event_id }) => event_id),
      [...room.state.values()].map(({ id }) => id),
    ),
    ...expected
      .filter((id) => !shown.includes(id))
      .map((id) => `${id}, number ${expected.indexOf(id)} of what was said, is not in the timeline`),
    ...(new Set(shown).size === shown.length ? [] : ['something is in the timeline twice']),
  ]
}

function differences(what: string, here: readonly string[], wanted: readonly string[]): string[] {
  const [a, b] = [new Set(here), new Set(wanted)]
  const [more, less] = [a.difference(b), b.difference(a)]
  if (more.size + less.size === 0) return []
  return [`${what}: ${more.size} too many, ${less.size} missing (${[...more, ...less].slice(0, 3).join(' ')})`]
}

const roomPath = (room: ForeignRoom, rest: string) =>
  `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/${rest}`
