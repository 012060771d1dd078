// SPDX-License-Identifier: Apache-2.0
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { latencyOf, round } from '@myelin/testing/latency'
import { eventBody, namesFor, poll, registerMany, roomWith, sendPath } from './fixture.ts'
import type { Workload } from './workload.ts'

/**
 * W1: one room, k joined users who each hold a long poll, and all send 100-byte messages in a closed loop: each sender
 * waits for its 200.
 */
export const w1 = senders('W1', 'one room, k senders, each with a long poll', true)

/** W1 without the long polls: what stands beside the bare pipeline. */
export const w1Sends = senders('W1-sends', 'one room, k senders, no readers', false)

function senders(name: string, title: string, hasPolls: boolean): Workload {
  return {
    name,
    title,
    async run({ target, seconds, progress }) {
      const rows = []
      for (const count of [1, 32, 256]) {
        progress(`${name}: ${count} senders, making the room`)
        const clients = await registerMany(target, namesFor(target, `${name.toLowerCase()}-${count}`, count))
        const room = await roomWith(clients)
        const polls = hasPolls ? clients.map((client) => poll(client)) : []
        await Promise.all(polls.map(({ ready }) => ready))
        progress(`${name}: ${count} senders, ${seconds} s`)
        const startMs = target.own?.processorMs() ?? 0
        const { durationsMs, errors, elapsedS } = await sendAll(clients, room, seconds)
        const processorMs = (target.own?.processorMs() ?? 0) - startMs
        for (const each of polls) each.stop()
        for (const client of clients) client.close()
        // With the answers to the long polls, and without the database server's share.
        const cost = target.own && { 'server CPU us/message': Math.round((processorMs * 1000) / durationsMs.length) }
        const rate = round(durationsMs.length / elapsedS)
        rows.push({ senders: count, 'messages/s': rate, ...latencyOf(durationsMs), errors, ...cost })
      }
      return rows
    },
  }
}

/** Sends messages of all clients; each sends its next message after the answer. Returns the durations in milliseconds. */
export async function sendAll(clients: readonly MatrixClient[], room: string, seconds: number) {
  const durationsMs: number[] = []
  let errors = 0
  const body = eventBody()
  const startedMs = performance.now()
  const endMs = startedMs + seconds * 1000
  await Promise.all(
    clients.map(async (client) => {
      for (let serial = 0; performance.now() < endMs; serial++) {
        const sentMs = performance.now()
        const { status } = await client.send('PUT', sendPath(room, `t${serial}`), body)
        if (status === 200) durationsMs.push(performance.now() - sentMs)
        else errors++
      }
    }),
  )
  return { durationsMs, errors, elapsedS: (performance.now() - startedMs) / 1000 }
}
