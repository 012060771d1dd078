// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { eventBody, namesFor, poll, registerMany, roomWith, sendPath } from './fixture.ts'
import type { Workload } from './workload.ts'
import { Deliveries } from './deliveries.ts'

/** W3: one room, 100 users who wait in `/sync`, one sender: the time until a message is delivered. */
export const w3: Workload = {
  name: 'W3',
  title: 'fan-out: one sender, everybody else in a long poll',
  async run({ target, seconds, scale, progress }) {
    const waiting = Math.max(2, Math.round(100 * scale))
    progress(`W3: ${waiting} clients, making the room`)
    const clients = await registerMany(target, namesFor(target, 'w3', waiting + 1))
    const room = await roomWith(clients)
    const [sender, ...waiters] = clients
    if (!sender) throw new Error('no client sends')
    let deliveries = new Deliveries()
    const polls = waiters.map((client) => poll(client, (body) => deliveries.arrived(body)))
    await Promise.all(polls.map(({ ready }) => ready))
    await delay(500)
    const rows = []
    for (const rate of [1, 10]) {
      progress(`W3: ${rate}/s for ${seconds} s`)
      deliveries = new Deliveries()
      const cpuBefore = target.own?.processorMs()
      for (let serial = 0; serial < seconds * rate; serial++) {
        const text = `mark-${rate * 1_000_000 + serial}-`
        deliveries.sending(text)
        const dueMs = performance.now() + 1000 / rate
        await sender.call('PUT', sendPath(room, `t${rate}-${serial}`), JSON.parse(eventBody(text.padEnd(100, 'x'))))
        await delay(Math.max(0, dueMs - performance.now()))
      }
      await delay(1000)
      const cpuMs = target.own ? target.own.processorMs() - (cpuBefore ?? 0) : undefined
      const figures = deliveries.figures(() => waiters.length)
      const cpu = cpuMs === undefined ? {} : { 'cpu us per delivery': Math.round((cpuMs * 1000) / deliveries.bodies) }
      rows.push({ clients: waiters.length, 'rate/s': rate, ...figures, ...cpu })
    }
    for (const each of polls) each.stop()
    for (const client of clients) client.close()
    return rows
  },
}
