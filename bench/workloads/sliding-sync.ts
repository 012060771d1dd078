// SPDX-License-Identifier: Apache-2.0
import type { MatrixClient } from '@myelin/testing/clients/matrix-client'
import { round } from '@myelin/testing/latency'
import { eventBody, inParallel, namesFor, registerMany, sendPath } from './fixture.ts'
import type { Workload } from './workload.ts'

const MEMBERS = 10
const ROOMS = 2000
const FEW_ROOMS = 200
const LARGE_ROOM = 50_000
const REPEATS = 20
const PATH = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync'

/** The request of Element X for its room list. */
const REQUIRED_STATE = [
  ['m.room.name', ''],
  ['m.room.encryption', ''],
  ['m.room.member', '$LAZY'],
  ['m.room.member', '$ME'],
  ['m.room.topic', ''],
  ['m.room.avatar', ''],
  ['m.room.canonical_alias', ''],
  ['m.room.power_levels', ''],
  ['org.matrix.msc3401.call.member', '*'],
  ['m.room.join_rules', ''],
  ['m.room.tombstone', ''],
  ['m.room.create', ''],
  ['m.room.history_visibility', ''],
  ['m.space.parent', '*'],
  ['m.space.child', '*'],
]

/**
 * W10: sliding sync of an account in 2,000 rooms of 10 members and one large room, beside one in 200: the first answer of 20
 * rooms, an answer after one message, and an answer after 50 rooms had messages. The large room has 50,000 invited users, who
 * need no accounts; its state is as large as that of as many joined ones.
 */
export const w10: Workload = {
  name: 'W10',
  title: 'sliding sync: 20 rooms of 2,000, and of 200',
  async run({ target, scale, progress }) {
    const counts = [FEW_ROOMS, ROOMS].map((count) => Math.max(20, Math.round(count * scale)))
    const [few = 0, many = 0] = counts
    progress(`W10: making ${many} rooms`)
    const users = await registerMany(target, namesFor(target, 'w10', MEMBERS + 1))
    const [small, ...others] = users
    const [large] = others
    if (!small || !large) throw new Error('two users are needed')
    const rooms = await furnish(others, many)
    for (const room of rooms.slice(0, few)) await join(small, room)
    progress('W10: filling the large room')
    await fillLargeRoom(large, [small, ...others.slice(1, 2)], Math.round(LARGE_ROOM * scale))
    const rows = []
    for (const [client, count, own] of [
      [small, few, rooms.slice(0, few)],
      [large, many, rooms],
    ] as const) {
      progress(`W10: an account in ${count} rooms`)
      rows.push({ rooms: count, ...(await measured(client, others.at(-1) ?? large, own)) })
    }
    for (const user of users) user.close()
    return rows
  },
}

async function measured(client: MatrixClient, sender: MatrixClient, rooms: readonly string[]) {
  const cold = await askRoomList(client, 'cold')
  const firsts = []
  for (let serial = 0; serial < REPEATS; serial++) firsts.push(await askRoomList(client, `first-${serial % 5}`))
  let { pos } = firsts.at(-1) ?? cold
  const next = []
  for (let serial = 0; serial < REPEATS; serial++) {
    await message(sender, rooms[serial % rooms.length] ?? '', `next-${rooms.length}-${serial}`)
    const answer = await askRoomList(client, `first-${(REPEATS - 1) % 5}`, pos)
    pos = answer.pos
    next.push(answer)
  }
  for (const [index, room] of rooms.slice(0, 50).entries()) await message(sender, room, `away-${rooms.length}-${index}`)
  const reconnect = await askRoomList(client, `first-${(REPEATS - 1) % 5}`, pos)
  return {
    'cold first ms': round(cold.ms),
    'first ms': round(median(firsts.map(({ ms }) => ms))),
    'first KiB': Math.round((firsts[0]?.bytes ?? 0) / 1024),
    'next ms': round(median(next.map(({ ms }) => ms))),
    'reconnect ms': round(reconnect.ms),
  }
}

/** Returns the median of some figures. */
export const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

/** Asks for the first 20 rooms as Element X does; returns the time, the `pos` and the size of the answer. */
export async function askRoomList(client: MatrixClient, connId: string, pos?: string) {
  const body = {
    conn_id: connId,
    lists: { rooms: { ranges: [[0, 19]], timeline_limit: 1, required_state: REQUIRED_STATE } },
    extensions: {
      account_data: { enabled: true },
      receipts: { enabled: true, rooms: ['*'] },
      typing: { enabled: true },
    },
  }
  const startedMs = performance.now()
  const answer = await client.send('POST', pos === undefined ? PATH : `${PATH}?pos=${pos}`, JSON.stringify(body))
  const ms = performance.now() - startedMs
  if (answer.status !== 200) throw new Error(`sliding sync: ${answer.status} ${answer.body.slice(0, 200)}`)
  const next = /"pos": ?"([^"]+)"/.exec(answer.body)?.[1] ?? ''
  return { ms, pos: next, bytes: Buffer.byteLength(answer.body) }
}

/** Sends a message of 100 bytes. */
export async function message(client: MatrixClient, room: string, txn: string): Promise<void> {
  const { status, body } = await client.send('PUT', sendPath(room, txn), eventBody())
  if (status !== 200) throw new Error(`sending: ${status} ${body.slice(0, 200)}`)
}

const join = (user: MatrixClient, room: string) =>
  user.call('POST', `/_matrix/client/v3/join/${encodeURIComponent(room)}`, {})

async function furnish(users: readonly MatrixClient[], count: number): Promise<string[]> {
  // Each user's connection takes one request at a time, so each does its own part.
  const made = await inParallel(users, users.length, async (user, index) => {
    const own: string[] = []
    for (let room = index; room < count; room += users.length) {
      const body = { preset: 'public_chat', name: `Room ${room}` }
      own.push((await user.call<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', body)).room_id)
    }
    return own
  })
  const rooms = made.flat()
  await inParallel(users, users.length, async (user, index) => {
    for (const room of rooms) if (!made[index]?.includes(room)) await join(user, room)
  })
  return rooms
}

async function fillLargeRoom(creator: MatrixClient, members: readonly MatrixClient[], size: number): Promise<void> {
  const body = { preset: 'public_chat', name: 'The large room' }
  const { room_id: room } = await creator.call<{ room_id: string }>('POST', '/_matrix/client/v3/createRoom', body)
  for (const member of members) await join(member, room)
  const server = creator.userId.slice(creator.userId.indexOf(':') + 1)
  const inviters = Array.from({ length: 8 }, () => creator.again())
  await inParallel(inviters, inviters.length, async (inviter, index) => {
    for (let serial = index; serial < size; serial += inviters.length)
      await inviter.call('POST', `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/invite`, {
        user_id: `@large-${serial}:${server}`,
      })
  })
  for (const inviter of inviters) inviter.close()
}
