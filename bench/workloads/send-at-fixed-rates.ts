// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { chanceOf } from '@myelin/testing/chance'
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { latencyOf, round } from '@myelin/testing/latency'
import { eventBody, namesFor, poll, registerMany, roomWith, sendPath } from './fixture.ts'
import type { Workload } from './workload.ts'

const RATES = [50, 200, 500, 1000, 2000]
const SENDERS = 32

/**
 * W1-open: one room with 32 long polls; messages arrive at a fixed rate, as a Poisson process, whether or not those
 * before them were answered. Latency counts from when a message should have been sent.
 */
export const w1Open: Workload = {
  name: 'W1-open',
  title: 'one room, 32 long polls, sends at a fixed rate, latency from the intended start',
  async run({ target, seconds, progress }) {
    progress('W1-open: making the room')
    const clients = await registerMany(target, namesFor(target, 'w1o', SENDERS))
    const room = await roomWith(clients)
    const polls = clients.map((client) => poll(client))
    await Promise.all(polls.map(({ ready }) => ready))
    const connections = clients.flatMap((client) => [client, client.again(), client.again(), client.again()])
    const rows = []
    for (const rate of RATES) {
      progress(`W1-open: ${rate}/s for ${seconds} s`)
      const { durationsMs, errors, elapsedS } = await arrive(connections, room, { rate, seconds })
      const goodput = round(durationsMs.length / elapsedS)
      rows.push({ 'offered/s': rate, 'answered/s': goodput, ...latencyOf(durationsMs), errors })
    }
    for (const each of polls) each.stop()
    for (const client of connections) client.close()
    return rows
  },
}

async function arrive(
  connections: readonly MatrixClient[],
  room: string,
  { rate, seconds }: { readonly rate: number; readonly seconds: number },
) {
  const chance = chanceOf(`w1 ${rate}`)
  const durationsMs: number[] = []
  let errors = 0
  const free = [...connections]
  const queue: number[] = []
  let sent = 0
  const serve = async (client: MatrixClient) => {
    for (let dueMs = queue.shift(); dueMs !== undefined; dueMs = queue.shift()) {
      const { status } = await client.send('PUT', sendPath(room, `o${rate}-${sent++}`), eventBody())
      if (status === 200) durationsMs.push(performance.now() - dueMs)
      else errors++
    }
    free.push(client)
  }
  const startedMs = performance.now()
  const serving: Promise<void>[] = []
  for (let dueMs = startedMs; ; ) {
    dueMs += (-Math.log(1 - chance.part()) / rate) * 1000
    if (dueMs - startedMs > seconds * 1000) break
    const waitMs = dueMs - performance.now()
    if (waitMs > 0) await delay(waitMs)
    queue.push(dueMs)
    const client = free.pop()
    if (client) serving.push(serve(client))
  }
  await Promise.all(serving)
  return { durationsMs, errors, elapsedS: (performance.now() - startedMs) / 1000 }
}
