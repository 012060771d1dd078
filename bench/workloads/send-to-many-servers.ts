// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import type { ServerName } from '@myelin/matrix/ids'
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { joinTargetRoom } from '@myelin/testing/fake-servers/hosted-rooms'
import type { TlsServers } from '@myelin/testing/fake-servers/tls-servers'
import { latencyOf, round } from '@myelin/testing/latency'
import { inParallel, registerMany, roomWith, sendPath } from './fixture.ts'
import type { Target } from '@myelin/testing/processes/target'
import type { Workload, WorkloadRun } from './workload.ts'

const SERVERS = 500
const PER_SECOND = 10
const BURST = 500
/** Senders of the burst. */
const AT_ONCE = 16
/** Every so many servers one breaks connections, and one answers late. */
const ONE_IN = 20
const LATE_MS = 20_000

/**
 * W9: a room with a member on each of 50 and 500 other servers, of which 5 % are dead and 5 % answer after 20 s. Sends
 * ten messages a second, then 500 at once, and measures the delivery time to every live server.
 */
export const w9: Workload = {
  name: 'W9',
  title: 'outbound federation: one room on many servers',
  needsServers: SERVERS,
  async run(run) {
    const { servers, target, scale } = run
    if (!servers) throw new Error('W9 needs fake servers')
    const [client] = await registerMany(target, [`w9-${target.run}`])
    if (!client) throw new Error('no user could be registered')
    const rows = []
    for (const count of [50, SERVERS].map((each) => Math.max(2, Math.round(each * scale))))
      rows.push(...(await measure(run, servers, client, count)))
    client.close()
    return rows
  },
}

async function measure(
  { target, seconds, progress }: WorkloadRun,
  servers: TlsServers,
  client: MatrixClient,
  count: number,
) {
  const room = await roomWith([client])
  progress(`W9: ${count} servers join`)
  const numbers = Array.from({ length: count }, (_, index) => index)
  await inParallel(numbers, 4, (number) => joinTargetRoom(servers, target, room, number))
  // Waits until every server has received every join.
  await delay(3000)
  const arrivals = new Arrivals(servers, count)
  for (const number of numbers) {
    const turn = number % ONE_IN
    if (turn === 1) servers.faults.set(servers.name(number), { fails: 'resets' })
    if (turn === 2) servers.faults.set(servers.name(number), { delayMs: LATE_MS })
  }
  progress(`W9: ${PER_SECOND} messages a second to ${count}`)
  const calm = await sendAll(target, client, room, arrivals, {
    messages: seconds * PER_SECOND,
    everyMs: 1000 / PER_SECOND,
  })
  progress(`W9: ${BURST} messages to ${count}`)
  const burst = await sendAll(target, client, room, arrivals, { messages: BURST, everyMs: 0 })
  servers.faults.clear()
  servers.onRequest = () => {}
  return [
    { servers: count, how: `${PER_SECOND}/s`, ...calm },
    { servers: count, how: `${BURST} at once`, ...burst },
  ]
}

/** The times at which each message is delivered to each live server. */
class Arrivals {
  readonly live: number
  transactions = 0
  #wanted = new Map<string, { readonly sentMs: number; left: number }>()
  #durationsMs: number[] = []
  #early = new Map<string, number[]>()
  #done: () => void = () => {}

  constructor(servers: TlsServers, count: number) {
    const live = new Set<ServerName>()
    for (let at = 0; at < count; at++) if (at % ONE_IN !== 1 && at % ONE_IN !== 2) live.add(servers.name(at))
    this.live = live.size
    servers.onRequest = ({ destination: server, target, body, atMs }) => {
      if (!live.has(server) || !target.includes('/send/')) return
      this.transactions++
      for (const [, mark = ''] of body.matchAll(/"body":"(w9 [^"]+)"/g)) this.#arrived(mark, atMs)
    }
  }

  begin(): void {
    this.#wanted = new Map()
    this.#durationsMs = []
    this.transactions = 0
  }

  /** A message was answered; it may be there already. */
  sent(mark: string, sentMs: number): void {
    const early = this.#early.get(mark) ?? []
    this.#early.delete(mark)
    this.#wanted.set(mark, { sentMs, left: this.live })
    for (const atMs of early) this.#arrived(mark, atMs)
  }

  async all(): Promise<readonly number[]> {
    if (this.#wanted.size > 0)
      await Promise.race([new Promise<void>((resolve) => (this.#done = resolve)), delay(120_000)])
    return this.#durationsMs
  }

  #arrived(mark: string, atMs: number): void {
    const wanted = this.#wanted.get(mark)
    if (!wanted) return void this.#early.set(mark, [...(this.#early.get(mark) ?? []), atMs])
    this.#durationsMs.push(Math.max(0, atMs - wanted.sentMs))
    if (--wanted.left > 0) return
    this.#wanted.delete(mark)
    if (this.#wanted.size === 0) this.#done()
  }
}

let serial = 0

async function sendAll(
  target: Target,
  client: MatrixClient,
  room: string,
  arrivals: Arrivals,
  { messages, everyMs }: { messages: number; everyMs: number },
) {
  arrivals.begin()
  const [startMs, startCpuMs] = [performance.now(), target.own?.processorMs() ?? 0]
  const clients = Array.from({ length: everyMs > 0 ? 1 : AT_ONCE }, () => client.again())
  const numbers = Array.from({ length: messages }, (_, index) => index)
  await inParallel(numbers, clients.length, async (at) => {
    const waitMs = startMs + at * everyMs - performance.now()
    if (waitMs > 0) await delay(waitMs)
    const own = clients.pop() ?? client.again()
    const mark = `w9 ${serial++}`
    await own.call('PUT', sendPath(room, mark.replace(' ', 'x')), { msgtype: 'm.text', body: mark })
    arrivals.sent(mark, performance.now())
    clients.push(own)
  })
  for (const each of clients) each.close()
  const sentS = (performance.now() - startMs) / 1000
  const durationsMs = await arrivals.all()
  const elapsedS = (performance.now() - startMs) / 1000
  const expected = messages * arrivals.live
  return {
    'to live servers': expected,
    lost: expected - durationsMs.length,
    ...latencyOf(durationsMs),
    'sent s': round(sentS),
    'all there s': round(elapsedS),
    'PDUs/transaction': round(durationsMs.length / Math.max(1, arrivals.transactions)),
    'server CPU s': round(((target.own?.processorMs() ?? 0) - startCpuMs) / 1000),
  }
}
