// SPDX-License-Identifier: Apache-2.0
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { round } from '@myelin/testing/latency'
import { eventBody, inParallel, namesFor, registerMany, sendPath } from './fixture.ts'
import type { Workload } from './workload.ts'

const MEMBERS = 10
const EVENTS = 30
const PROFILES = [
  { profile: '1T', limit: 1, lazy: true },
  { profile: '20T', limit: 20, lazy: true },
  { profile: '10F', limit: 10, lazy: false },
] as const

/** W4: the first sync of users with 100 rooms of 10 members and 30 messages, one at a time and 20 at once. */
export const w4: Workload = {
  name: 'W4',
  title: 'initial sync of 100 rooms x 10 members x 30 messages',
  async run({ target, scale, progress }) {
    const rooms = Math.max(1, Math.round(100 * scale))
    progress(`W4: making ${rooms} rooms`)
    const users = await registerMany(target, namesFor(target, 'w4', MEMBERS))
    await furnish(users, rooms)
    const connections = [...users, ...users.map((user) => user.again())]
    const rows = []
    for (const { profile, limit, lazy } of PROFILES) {
      for (const concurrency of [1, 20]) {
        progress(`W4: ${profile}, ${concurrency} at once`)
        const baseline = target.own?.residentBytes() ?? 0
        let peak = baseline
        const watch = setInterval(() => (peak = Math.max(peak, target.own?.residentBytes() ?? 0)), 20)
        const startedMs = performance.now()
        const taken = await inParallel(connections, concurrency, (client, serial) =>
          firstSync(client, { limit, lazy, serial: `${profile}-${concurrency}-${serial}` }),
        )
        clearInterval(watch)
        const totalMs = performance.now() - startedMs
        rows.push({
          profile,
          concurrency,
          syncs: taken.length,
          'mean ms': round(taken.reduce((sum, { ms }) => sum + ms, 0) / taken.length),
          'worst ms': round(Math.max(...taken.map(({ ms }) => ms))),
          'all ms': round(totalMs),
          'body KiB': Math.round((taken[0]?.bytes ?? 0) / 1024),
          ...(target.own ? { 'peak MiB above': Math.round((peak - baseline) / 2 ** 20) } : {}),
        })
      }
    }
    for (const client of connections) client.close()
    return rows
  },
}

async function furnish(users: readonly MatrixClient[], rooms: number): Promise<void> {
  // Every user's connection takes one request at a time, so each does its own part.
  const made = await inParallel(users, users.length, async (user, index) => {
    const own: string[] = []
    for (let room = index; room < rooms; room += users.length) {
      const body = { preset: 'public_chat', name: `Room ${room}` }
      own.push((await user.call<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', body)).room_id)
    }
    return own
  })
  const all = made.flat()
  await inParallel(users, users.length, async (user, index) => {
    for (const room of all)
      if (!made[index]?.includes(room))
        await user.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(room)}`, {})
  })
  await inParallel(users, users.length, async (user) => {
    for (const room of all)
      for (let serial = 0; serial < EVENTS / MEMBERS; serial++)
        await user.send('PUT', sendPath(room, `${serial}`), eventBody())
  })
}

/** Sends an initial `/sync`. `serial` is part of the filter, so that no server answers from a cache. */
async function firstSync(
  client: MatrixClient,
  { limit, lazy, serial }: { readonly limit: number; readonly lazy: boolean; readonly serial: string },
) {
  const filter = {
    room: { timeline: { limit }, state: { lazy_load_members: lazy } },
    presence: { types: [], not_senders: [`@${serial}:nowhere`] },
  }
  const startedMs = performance.now()
  const { status, body } = await client.send(
    'GET',
    `/_matrix/client/v3/sync?filter=${encodeURIComponent(JSON.stringify(filter))}`,
  )
  if (status !== 200) throw new Error(`/sync: ${status} ${body.slice(0, 200)}`)
  return { ms: performance.now() - startedMs, bytes: Buffer.byteLength(body) }
}
