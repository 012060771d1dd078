// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SlidingClient } from '../../clients/sliding-client.ts'
import type { FollowedRoom, SlidingDialect, SlidingRequestBody } from '../../clients/sliding-client.ts'
import { onEveryDatabase } from '../../databases.ts'
import { testConfig } from '../../runtime.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'

const v3 = '/_matrix/client/v3'

type Person = { readonly userId: string; readonly deviceId: string; readonly token: string }
type Kind = (typeof KINDS)[number]
type Step = {
  readonly kind: Kind
  readonly who: number
  readonly whom: number
  readonly room: number
  readonly serial: number
}

const KINDS = [
  ...(['message', 'message', 'message', 'name', 'topic', 'leave', 'join', 'join', 'invite', 'kick', 'ban'] as const),
  ...(['unban', 'rename', 'status', 'status', 'visibility', 'read', 'device', 'direct'] as const),
  // Actions of the follower, and faults it meets.
  ...(['sync', 'sync', 'sync', 'sync', 'lost', 'forgotten', 'restart'] as const),
] as const
const PROFILES = 'org.matrix.msc4262.profiles'
const VISIBILITIES = ['joined', 'invited', 'shared', 'world_readable'] as const
const ROOMS = 3

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...KINDS),
  who: fc.nat(2),
  whom: fc.nat(2),
  room: fc.nat(ROOMS - 1),
  serial: fc.nat(1000),
})

type Actor = { readonly server: TestServer; readonly people: readonly Person[]; readonly rooms: readonly string[] }

/** Does a step as its person would; a step that the rules refuse is part of life. */
async function take({ server, people, rooms }: Actor, { kind, who, whom, room, serial }: Step): Promise<void> {
  const [person, target, roomId] = [people[who], people[whom], rooms[room]]
  if (!person || !target || roomId === undefined) return
  const base = `${v3}/rooms/${encodeURIComponent(roomId)}`
  const { token, userId } = person
  const put = (path: string, body: object) => server.call('PUT', path, { token, body })
  const move = (way: string, body: object = {}) => server.call('POST', `${base}/${way}`, { token, body })
  const name = encodeURIComponent(userId)
  const calls: Partial<Record<Kind, () => Promise<unknown>>> = {
    message: () =>
      put(`${base}/send/m.room.message/${serial}-${Math.trunc(serial / 3)}`, {
        msgtype: 'm.text',
        body: `${serial}`,
        ...(serial % 4 === 0 ? { 'm.mentions': { user_ids: [target.userId] } } : {}),
      }),
    name: () => put(`${base}/state/m.room.name/`, { name: serial % 5 === 0 ? '' : `name ${serial}` }),
    topic: () => put(`${base}/state/m.room.topic/`, { topic: `topic ${serial}` }),
    visibility: () =>
      put(`${base}/state/m.room.history_visibility/`, { history_visibility: VISIBILITIES[serial % 4] ?? 'joined' }),
    leave: () => move('leave'),
    join: () => move('join'),
    invite: () => move('invite', { user_id: target.userId }),
    kick: () => move('kick', { user_id: target.userId }),
    ban: () => move('ban', { user_id: target.userId }),
    unban: () => move('unban', { user_id: target.userId }),
    rename: () => put(`${v3}/profile/${name}/displayname`, { displayname: `called ${serial % 7}` }),
    status: () =>
      serial % 3 === 0
        ? server.call('DELETE', `${v3}/profile/${name}/x.status`, { token })
        : put(`${v3}/profile/${name}/x.status`, { 'x.status': serial }),
    device: () => put(`${v3}/devices/${encodeURIComponent(person.deviceId)}`, { display_name: `device ${serial}` }),
    direct: () => put(`${v3}/user/${name}/account_data/m.direct`, { [target.userId]: serial % 2 ? [roomId] : [] }),
    read: async () => {
      const { body } = await server.call('GET', `${base}/messages?dir=b&limit=1`, { token })
      const [last] = (body['chunk'] ?? []) as readonly { readonly event_id: string }[]
      if (last) await move(`receipt/m.read/${encodeURIComponent(last.event_id)}`)
    },
  }
  await calls[kind]?.()
}

const PAIRS = {
  some: [
    ['m.room.name', ''],
    ['m.room.member', '$ME'],
    ['m.room.member', '$LAZY'],
  ],
  more: [
    ['m.room.name', ''],
    ['m.room.topic', ''],
    ['m.room.history_visibility', ''],
    ['m.room.member', '$ME'],
    ['m.room.member', '$LAZY'],
  ],
  all: [['*', '*']],
} as const
type Selection = keyof typeof PAIRS

function selectionFor(dialect: SlidingDialect, selection: Selection, me: string): unknown {
  if (dialect === 'msc3575') return PAIRS[selection]
  if (selection === 'all') return { include: [{}] }
  const include = PAIRS[selection]
    .filter(([, key]) => key !== '$LAZY')
    .map(([type, key]) => ({ type, state_key: key === '$ME' ? me : key }))
  return { include, lazy_members: true }
}

/** Returns a request of the follower: a window of `last` rooms and more, and now and then a subscription. */
function requestFor(
  dialect: SlidingDialect,
  me: string,
  { last, limit, selection }: { readonly last: number; readonly limit: number; readonly selection: Selection },
  subscribed?: string,
): SlidingRequestBody {
  const range: readonly [number, number] = [0, last]
  const state = selectionFor(dialect, selection, me)
  const window = dialect === 'v4' ? { range } : { ranges: [range] }
  return {
    lists: { rooms: { ...window, timeline_limit: limit, required_state: state } },
    ...(subscribed === undefined
      ? {}
      : { room_subscriptions: { [subscribed]: { timeline_limit: limit + 2, required_state: state } } }),
    extensions: {
      e2ee: { enabled: true },
      account_data: { enabled: true },
      receipts: { enabled: true },
      [PROFILES]: { enabled: true },
    },
  }
}

type Joined = {
  readonly unread_notifications: { readonly notification_count: number; readonly highlight_count: number }
}
type OneSync = {
  readonly rooms: {
    readonly join: Readonly<Record<string, Joined>>
    readonly invite: Readonly<Record<string, unknown>>
  }
  readonly device_lists: { readonly changed: readonly string[]; readonly left: readonly string[] }
}

/** The room's state as `/state` has it, by type and state key. */
async function truth(server: TestServer, room: string, { token }: Person): Promise<Map<string, string>> {
  const { body } = await server.call('GET', `${v3}/rooms/${encodeURIComponent(room)}/state`, { token })
  const events = body as unknown as readonly { type: string; state_key: string; event_id: string }[]
  return new Map(events.map(({ type, state_key: key, event_id: id }) => [`${type} ${key}`, id]))
}

const idOf = (room: FollowedRoom | undefined, key: string) => room?.state.get(key)?.event_id
const membershipOf = (room: FollowedRoom | undefined, me: string) =>
  room?.state.get(`m.room.member ${me}`)?.content?.['membership']
const idsOf = ({ timeline }: FollowedRoom) => timeline.map((event) => event.event_id)

/** Asks until an answer has no profiles. */
async function catchUp(client: SlidingClient, request: SlidingRequestBody): Promise<void> {
  for (;;) {
    const { extensions } = await client.sync(request)
    if (Object.keys(extensions[PROFILES]?.['users'] ?? {}).length === 0) return
  }
}

onEveryDatabase('a client that follows by sliding sync', (open) => {
  for (const dialect of ['msc3575', 'v4'] as const)
    test(`ends with the rooms, state, timeline, counts and device lists of one that asks once (${dialect})`, async (t) => {
      // So few profiles in an answer that they take several.
      const profiles = { ...testConfig.profiles, isInSync: true, maxInAnswer: 1 }
      const server = await testServer(open, { profiles })
      t.after(() => server.close())
      const [host, other] = [await server.register('host'), await server.register('other')]
      const levels = { state_default: 0, invite: 0, kick: 0, ban: 0, events: {} }
      let walks = 0
      const walk = async (steps: readonly Step[], selection: Selection) => {
        const follower = await server.register(`follower${++walks}`)
        const people = [host, follower, other]
        const rooms: string[] = []
        for (let index = 0; index < ROOMS; index++) {
          const { body } = await server.call('POST', `${v3}/createRoom`, {
            token: host.token,
            body: { preset: 'public_chat', power_level_content_override: levels },
          })
          const roomId = String(body['room_id'])
          rooms.push(roomId)
          for (const { token } of index === 0 ? [follower] : [follower, other])
            await server.call('POST', `${v3}/join/${encodeURIComponent(roomId)}`, { token, body: {} })
        }
        const start = await server.call('GET', `${v3}/sync`, { token: follower.token })
        const me = follower.userId
        const client = new SlidingClient(server, follower.token, dialect)
        let isAnew = false
        await client.sync(requestFor(dialect, me, { last: 1, limit: 1, selection }))
        for (const one of steps) {
          const { kind, serial, room } = one
          const subscribed = serial % 3 === 0 ? rooms[room] : undefined
          const asked = serial % 5 === 0 ? 'some' : selection
          const view = { last: serial % ROOMS, limit: [1, 3, 10][serial % 3] ?? 1, selection: asked }
          const requested = requestFor(dialect, me, view, subscribed)
          if (kind === 'sync') await client.sync(requested)
          else if (kind === 'lost') await client.ask(requested)
          else if (kind === 'restart') server.rt.db.read.caches.clear()
          else if (kind === 'forgotten') {
            // Another connection takes the place of the client's: its `pos` is unknown from here on.
            await new SlidingClient(server, follower.token, dialect).sync(requested)
            isAnew = true
          } else await take({ server, people, rooms }, one)
        }
        const last = requestFor(dialect, me, { last: 99, limit: 10, selection })
        await catchUp(client, last)
        const settled = await client.sync(last)
        assert.deepEqual([settled.rooms, settled.extensions['receipts']], [{}, { rooms: {} }])

        const { body } = await server.call('GET', `${v3}/sync?since=${String(start.body['next_batch'])}`, {
          token: follower.token,
        })
        const { device_lists: devices } = body as unknown as OneSync
        const whole = await server.call('GET', `${v3}/sync`, { token: follower.token })
        const { join, invite } = (whole.body as unknown as OneSync).rooms
        const once = new SlidingClient(server, follower.token, dialect, 'once')
        await catchUp(once, last)
        // The follower may know more of them, as of users who share no room with it any more.
        for (const [user, profile] of once.profiles)
          assert.deepEqual(client.profiles.get(user), profile, `the profile of ${user}`)
        for (const roomId of rooms) {
          const [room, fresh] = [client.rooms.get(roomId), once.rooms.get(roomId)]
          assert.equal(membershipOf(room, me) === 'join', roomId in join, 'joined')
          assert.equal(room?.isOffer === true && membershipOf(room, me) === undefined, roomId in invite, 'invited')
          if (!(roomId in join)) continue
          assert.ok(room && fresh)
          const state = await truth(server, roomId, follower)
          for (const [key, id] of state) {
            const [type = ''] = key.split(' ')
            const isWanted =
              selection === 'all' ||
              PAIRS[selection].some(([name, word]) => name === type && word !== '$LAZY' && word !== '$ME') ||
              key === `m.room.member ${me}`
            if (isWanted) assert.equal(idOf(room, key), id, key)
          }
          const [followed, tail] = [idsOf(room), idsOf(fresh)]
          const length = Math.min(followed.length, tail.length)
          assert.deepEqual(followed.slice(-length), tail.slice(-length))
          assert.equal(length > 0, tail.length > 0)
          assert.deepEqual(
            [room.name, room.joinedCount, room.invitedCount, room.bumpStamp],
            [fresh.name, fresh.joinedCount, fresh.invitedCount, fresh.bumpStamp],
          )
          if (dialect === 'v4') continue
          const counts = join[roomId]?.unread_notifications
          assert.deepEqual([room.notifications, room.highlights], [counts?.notification_count, counts?.highlight_count])
        }
        if (isAnew) return
        for (const user of devices.changed) assert.ok(client.changedDevices.has(user), `${user} changed`)
        for (const user of devices.left) assert.ok(client.leftDevices.has(user), `${user} left`)
      }
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 40 }),
          fc.constantFrom<Selection>('some', 'more', 'all'),
          walk,
        ),
        { numRuns: 15 },
      )
    })
})
