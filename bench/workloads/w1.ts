// SPDX-License-Identifier: Apache-2.0
import type { Client } from '../client.ts'
import { registerUsers } from '../client.ts'
import { latencyOf, round } from '../figures.ts'
import type { Workload } from '../workload.ts'

/**
 * W1: one room, k joined users who each hold a long poll, and all send 100-byte messages as fast as they are answered
 * (a closed loop: each sender waits for its 200).
 */
export const w1: Workload = {
  name: 'W1',
  title: 'one room, k senders, each with a long poll',
  async run({ target, seconds, progress }) {
    const rows = []
    for (const senders of [1, 32, 256]) {
      progress(`W1: ${senders} senders, making the room`)
      const names = Array.from({ length: senders }, (_, index) => `w1-${senders}-${target.run}-${index}`)
      const clients = await registerUsers(target.url, target.secret, names)
      const room = await roomWith(clients)
      const polls = clients.map((client) => poll(client))
      await Promise.all(polls.map(({ ready }) => ready))
      progress(`W1: ${senders} senders, ${seconds} s`)
      const { durationsMs, errors, elapsedS } = await sendAll(clients, room, seconds)
      for (const each of polls) each.stop()
      for (const client of clients) client.close()
      rows.push({ senders, 'messages/s': round(durationsMs.length / elapsedS), ...latencyOf(durationsMs), errors })
    }
    return rows
  },
}

/** A room made by the first client that all others have joined. */
export async function roomWith(clients: readonly Client[]): Promise<string> {
  const [creator, ...others] = clients
  if (!creator) throw new Error('a room needs somebody')
  const { room_id: room } = await creator.call<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
    preset: 'public_chat',
    name: 'bench',
  })
  for (const client of others)
    await client.call('POST', `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/join`, {})
  return room
}

/** Keeps a client's long poll open; `stop` ends it. */
export function poll(client: Client, seen?: (body: string) => void): { readonly ready: Promise<void>; stop(): void } {
  const own = client.again()
  const filter = encodeURIComponent('{"room":{"state":{"lazy_load_members":true},"timeline":{"limit":20}}}')
  let isStopped = false
  const ready = (async () => {
    const { next_batch: first } = await own.call<{ next_batch: string }>(
      'GET',
      `/_matrix/client/v3/sync?filter=${filter}`,
    )
    void (async () => {
      for (let since = first; !isStopped; ) {
        const { body } = await own.send('GET', `/_matrix/client/v3/sync?filter=${filter}&timeout=30000&since=${since}`)
        since = /"next_batch":"([^"]+)"/.exec(body)?.[1] ?? since
        seen?.(body)
      }
    })().catch(() => {})
  })()
  return {
    ready,
    stop: () => {
      isStopped = true
      own.close()
    },
  }
}

async function sendAll(clients: readonly Client[], room: string, seconds: number) {
  const durationsMs: number[] = []
  let errors = 0
  const body = JSON.stringify({ msgtype: 'm.text', body: 'x'.repeat(100) })
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/`
  const startedMs = performance.now()
  const endMs = startedMs + seconds * 1000
  await Promise.all(
    clients.map(async (client) => {
      for (let serial = 0; performance.now() < endMs; serial++) {
        const sentMs = performance.now()
        const { status } = await client.send('PUT', `${path}t${serial}`, body)
        if (status === 200) durationsMs.push(performance.now() - sentMs)
        else errors++
      }
    }),
  )
  return { durationsMs, errors, elapsedS: (performance.now() - startedMs) / 1000 }
}
