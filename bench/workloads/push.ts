// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { round } from '@myelin/testing/latency'
import { eventBody, inParallel, namesFor, registerMany, sendPath } from './fixture.ts'
import type { Target } from '@myelin/testing/processes/target'
import type { Workload } from './workload.ts'

/** The pushes of one message: how many there are to be, how many came, when the last came, and when it was answered. */
interface Pushed {
  came: number
  lastMs: number
  readonly sentMs: number
}

/** W11: the delay until a message is pushed in a room of 1,000 members, some of them with pushers, and its cost for the sender. */
export const w11: Workload = {
  name: 'W11',
  title: 'push: one room of 1,000 members, some with a pusher',
  settings: "ip_range_whitelist: ['127.0.0.1']\n",
  async run({ target, seconds, scale, progress }) {
    const count = Math.max(20, Math.round(1000 * scale))
    progress(`W11: registering ${count} users`)
    const users = await registerMany(target, namesFor(target, 'w11', count + 1))
    const [sender, ...members] = users
    if (!sender) throw new Error('no users')
    const made = await sender.call<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
      preset: 'public_chat',
    })
    progress('W11: joining')
    await inParallel(members, 16, (user) =>
      user.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(made.room_id)}`, {}),
    )
    const gateway = await startGateway()
    const rows: Record<string, unknown>[] = []
    let ready = 0
    try {
      for (const [pushers, perSecond] of [
        [0, 50],
        [Math.round(count / 50), 50],
        [count, 1],
        // Ten messages at once, for the rate of pushes.
        [count, 1000],
      ] as const) {
        progress(`W11: setting ${pushers} pushers`)
        await inParallel(members.slice(ready, pushers), 16, (user, at) =>
          setPusher(user, gateway.url, `key ${ready + at}`),
        )
        ready = Math.max(ready, pushers)
        progress(`W11: ${perSecond} messages/s for ${seconds} s, ${pushers} pushers`)
        const duration = perSecond > 100 ? 10 / perSecond : seconds
        rows.push(
          await measure({
            sender,
            roomId: made.room_id,
            gateway,
            pushers,
            perSecond,
            seconds: duration,
            own: target.own,
          }),
        )
      }
    } finally {
      await gateway.close()
      for (const user of users) user.close()
    }
    return rows
  },
}

interface Measurement {
  readonly sender: MatrixClient
  readonly roomId: string
  readonly gateway: Awaited<ReturnType<typeof startGateway>>
  readonly pushers: number
  readonly perSecond: number
  readonly seconds: number
  readonly own: Target['own']
}

async function measure({ sender, roomId, gateway, pushers, perSecond, seconds, own }: Measurement) {
  const sends: number[] = []
  const messages = Math.max(1, Math.round(perSecond * seconds))
  const began = performance.now()
  const startMs = own?.processorMs() ?? 0
  for (let serial = 0; serial < messages; serial++) {
    const mark = `push-${pushers}-${perSecond}-${serial}-`
    const start = performance.now()
    gateway.pushed.set(mark, { came: 0, lastMs: 0, sentMs: start })
    const body: unknown = JSON.parse(eventBody(mark.padEnd(100, 'x')))
    await sender.call('PUT', sendPath(roomId, mark), body)
    sends.push(performance.now() - start)
    await delay(Math.max(0, began + ((serial + 1) * 1000) / perSecond - performance.now()))
  }
  const all = [...gateway.pushed]
    .filter(([mark]) => mark.startsWith(`push-${pushers}-${perSecond}-`))
    .map(([, each]) => each)
  // A push that does not arrive within half a minute is missing.
  for (let waited = 0; waited < 30_000 && all.some(({ came }) => came < pushers); waited += 50) await delay(50)
  const lasts = all.map(({ lastMs, sentMs }) => lastMs - sentMs).toSorted((a, b) => a - b)
  const pushes = all.reduce((sum, { came }) => sum + came, 0)
  const lastMs = Math.max(...all.map((each) => each.lastMs))
  const sorted = sends.toSorted((a, b) => a - b)
  return {
    pushers,
    'messages/s': perSecond,
    'send p50': round(sorted[Math.floor(sorted.length / 2)] ?? 0),
    'send p99': round(sorted[Math.floor(sorted.length * 0.99)] ?? 0),
    pushes,
    'server CPU ms': own ? own.processorMs() - startMs : 0,
    missing: all.reduce((sum, { came }) => sum + Math.max(0, pushers - came), 0),
    ...(pushers === 0
      ? {}
      : {
          'pushes/s': Math.round((pushes * 1000) / (lastMs - began)),
          'last push p50 ms': round(lasts[Math.floor(lasts.length / 2)] ?? 0),
          'last push max ms': round(lasts.at(-1) ?? 0),
        }),
  }
}

async function setPusher(user: MatrixClient, url: string, pushkey: string): Promise<void> {
  await user.call('POST', '/_matrix/client/v3/pushers/set', {
    app_id: 'bench.app',
    pushkey,
    kind: 'http',
    app_display_name: 'bench',
    device_display_name: 'bench',
    lang: 'en',
    data: { url },
  })
}

/** Starts a gateway that takes every push and notes when those of each message came. */
async function startGateway() {
  const pushed = new Map<string, Pushed>()
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { notification } = JSON.parse(Buffer.concat(parts).toString()) as {
        notification: { content?: { body?: string } }
      }
      const mark = /^push-\d+-\d+-\d+-/.exec(notification.content?.body ?? '')?.[0] ?? ''
      const each = pushed.get(mark)
      if (each) {
        each.came++
        each.lastMs = performance.now()
      }
      response.setHeader('content-type', 'application/json').end('{"rejected":[]}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/_matrix/push/v1/notify`,
    pushed,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
