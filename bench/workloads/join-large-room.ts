// SPDX-License-Identifier: Apache-2.0
import { hostedRoom, memberId } from '@myelin/testing/fake-servers/hosted-rooms'
import { round } from '@myelin/testing/latency'
import { registerMany } from './fixture.ts'
import type { Workload } from './workload.ts'
import { bystander } from './bystander.ts'

const SERVERS = 100
const RTT_MS = 20
const PATIENCE_MS = 300_000

/**
 * W6: a join of a room of 1,000 and 10,000 members on 100 servers, 20 ms away (`--scale 10` for 100,000), while a
 * bystander sends in another room.
 */
export const w6: Workload = {
  name: 'W6',
  title: 'joining a room of other servers',
  needsServers: SERVERS,
  async run({ servers, target, scale, progress }) {
    const { own } = target
    if (!servers || !own) throw new Error('W6 needs fake servers')
    const [client, other] = await registerMany(target, [`w6-${target.run}`, `w6b-${target.run}`])
    if (!client || !other) throw new Error('no user could be registered')
    const beside = await bystander(other)
    for (const name of servers.names) servers.faults.set(name, { delayMs: RTT_MS })
    const rows = []
    for (const members of [1000, 10_000].map((count) => Math.round(count * scale))) {
      progress(`W6: making a room of ${members}`)
      const room = hostedRoom(servers, members)
      const path = `/_matrix/client/v3/join/${encodeURIComponent(room.roomId)}?server_name=${servers.name(0)}`
      const [startMs, startCpuMs, startBytes, startKeys] = [
        performance.now(),
        own.processorMs(),
        own.residentBytes(),
        servers.keyRequests,
      ]
      own.peakBytes()
      let joinedMs = 0
      const latency = await beside.during(async () => {
        await client.call('POST', path, {})
        joinedMs = performance.now() - startMs
      })
      // Waits for the members that are not known yet.
      const last = encodeURIComponent(memberId(servers, members - 1))
      const member = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/state/m.room.member/${last}`
      let isWhole = false
      while (!isWhole && performance.now() - startMs < PATIENCE_MS) {
        isWhole = await client.call('GET', member).then(
          () => true,
          () => false,
        )
      }
      const wholeMs = performance.now() - startMs
      const peakBytes = own.peakBytes()
      const listed = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/joined_members`
      // A room with partial state has no complete member list.
      let seen = 0
      while (seen < members) {
        if (performance.now() - startMs > PATIENCE_MS) throw new Error(`${seen} members after ${PATIENCE_MS / 1000} s`)
        const { joined } = await client.call<{ joined?: object }>('GET', listed).catch(() => ({ joined: {} }))
        seen = Object.keys(joined ?? {}).length
        if (seen < members) await new Promise((resolve) => setTimeout(resolve, 100))
      }
      rows.push({
        members,
        'usable s': round(joinedMs / 1000),
        'whole s': round(wholeMs / 1000),
        'members seen': seen,
        'key requests': servers.keyRequests - startKeys,
        'server CPU s': round((own.processorMs() - startCpuMs) / 1000),
        'RSS grown MiB': round((own.residentBytes() - startBytes) / 2 ** 20),
        'peak above start MiB': round((peakBytes - startBytes) / 2 ** 20),
        'bystander p50/p99/max ms': `${latency.p50} / ${latency.p99} / ${latency.max}`,
      })
    }
    client.close()
    other.close()
    return rows
  },
}
