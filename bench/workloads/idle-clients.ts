// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { chanceOf } from '@myelin/testing/chance'
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { round } from '@myelin/testing/latency'
import { eventBody, inParallel, namesFor, poll, registerMany, sendPath } from './fixture.ts'
import type { Workload } from './workload.ts'
import { Deliveries } from './deliveries.ts'

const ROOMS_EACH = 5
const ROOMS = 50

/** W5: 1,000 waiting users in 5 rooms each: the cost of each, and the delivery time of a message. */
export const w5: Workload = {
  name: 'W5',
  title: '1,000 idle clients with a long poll each',
  async run({ target, seconds, scale, progress }) {
    const count = Math.max(ROOMS, Math.round(1000 * scale))
    progress(`W5: registering ${count} users`)
    const users = await registerMany(target, namesFor(target, 'w5', count))
    progress('W5: joining rooms')
    const rooms = await furnish(users)
    for (const user of users) user.close()
    await delay(2000)
    const own = target.own
    const before = own?.residentBytes() ?? 0
    const deliveries = new Deliveries()
    progress('W5: first syncs')
    const polls = await inParallel(users, 20, async (user) => {
      const each = poll(user, (body) => deliveries.arrived(body))
      await each.ready
      return each
    })
    await delay(2000)
    const after = own?.residentBytes() ?? 0
    progress(`W5: idle for ${seconds} s`)
    const cpuBefore = own?.processorMs() ?? 0
    await delay(seconds * 1000)
    const idleMs = (own?.processorMs() ?? 0) - cpuBefore
    progress(`W5: one message a second for ${seconds} s`)
    const chance = chanceOf('w5')
    const sizes = new Map<string, number>()
    for (let serial = 0; serial < seconds; serial++) {
      const at = Math.floor(chance.part() * rooms.length)
      const room = rooms[at]
      const sender = room?.members[0]
      if (!room || !sender) continue
      const text = `mark-${serial}-`
      sizes.set(text, room.members.length)
      deliveries.sending(text)
      await sender.call('PUT', sendPath(room.id, `t${serial}`), JSON.parse(eventBody(text.padEnd(100, 'x'))))
      await delay(1000)
    }
    for (const each of polls) each.stop()
    for (const user of users) user.close()
    const seen = own && {
      'KiB per client': round((after - before) / 1024 / count),
      'RSS MiB': Math.round(after / 2 ** 20),
      'idle CPU %': round((idleMs / (seconds * 1000)) * 100),
    }
    return [{ clients: count, ...seen, ...deliveries.figures((text) => sizes.get(text) ?? 0) }]
  },
}

/** Creates fifty rooms, and joins each user to five of them. */
async function furnish(
  users: readonly MatrixClient[],
): Promise<{ readonly id: string; readonly members: MatrixClient[] }[]> {
  const creators = users.slice(0, ROOMS)
  const rooms = await inParallel(creators, 10, async (creator) => {
    const made = await creator.call<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', {
      preset: 'public_chat',
    })
    return { id: made.room_id, members: [creator] }
  })
  await inParallel(users, 16, async (user, index) => {
    for (let step = 0; step < ROOMS_EACH; step++) {
      const room = rooms[(index + step * 7) % rooms.length]
      if (!room || room.members.includes(user)) continue
      await user.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(room.id)}`, {})
      room.members.push(user)
    }
  })
  return rooms
}
