// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Json, JsonObject } from '@myelin/matrix/json'
import { remoteDeviceLists } from '@myelin/storage/keys/remote-device-lists'
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '../databases.ts'
import { authorRoom } from '../room-author.ts'
import type { Answer } from '../server.ts'
import { bob, mallory, onStage, type Stage, witness } from './stage.ts'
import { always } from './hostile-answers.ts'

const DEEP = `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`
const MINUTES = 600_000
/** Values of a wrong type or form. */
const ODD: readonly Json[] = [
  null,
  true,
  0,
  -1,
  0.5,
  2 ** 53,
  1e300,
  '',
  '\u0000',
  '@',
  '__proto__',
  [],
  [null],
  [[]],
  {},
]

/** Asks as a client would. */
function ask({ home, alice }: Stage, method: 'GET' | 'POST', path: string, body?: JsonObject): Promise<Answer> {
  return home.call(method, path, { token: alice.token, ...(body ? { body } : {}) })
}

const space = '!space:evil.test'
const device = (user: string, id: string, more: JsonObject = {}): JsonObject => ({
  user_id: user,
  device_id: id,
  algorithms: [],
  keys: { [`ed25519:${id}`]: 'key' },
  signatures: { [user]: { [`ed25519:${id}`]: 'x' } },
  ...more,
})
const crossKey = (user: string, usage: string): JsonObject => ({
  user_id: user,
  usage: [usage],
  keys: { [`ed25519:${usage}`]: usage },
})

interface Question {
  /** The path of the request after `/federation/v1/`. */
  readonly what: string
  readonly ask: (stage: Stage) => Promise<Answer>
  /** The answer of an honest server. */
  readonly honest: (stage: Stage) => JsonObject
}

const queryBob = (stage: Stage) => ask(stage, 'POST', '/_matrix/client/v3/keys/query', { device_keys: { [bob]: [] } })
const claimBob = (stage: Stage) =>
  ask(stage, 'POST', '/_matrix/client/v3/keys/claim', { one_time_keys: { [bob]: { PHONE: 'signed_curve25519' } } })
const eventByTime = (stage: Stage, ts: number) =>
  ask(
    stage,
    'GET',
    `/_matrix/client/v1/rooms/${encodeURIComponent(stage.room.roomId)}/timestamp_to_event?dir=f&ts=${ts}`,
  )

const QUESTIONS: Readonly<Record<string, Question>> = {
  'a profile': {
    what: 'query/profile',
    ask: (stage) => ask(stage, 'GET', `/_matrix/client/v3/profile/${bob}`),
    honest: () => ({ displayname: 'Bob', avatar_url: 'mxc://evil.test/a' }),
  },
  'an alias': {
    what: 'query/directory',
    ask: (stage) => ask(stage, 'GET', `/_matrix/client/v3/directory/room/${encodeURIComponent('#a:evil.test')}`),
    honest: () => ({ room_id: space, servers: ['evil.test'] }),
  },
  'a room directory': {
    what: 'publicRooms',
    ask: (stage) => ask(stage, 'GET', '/_matrix/client/v3/publicRooms?server=evil.test'),
    honest: () => ({
      chunk: [{ room_id: space, num_joined_members: 1, world_readable: true, guest_can_join: false, name: 'A' }],
      next_batch: 'n',
      prev_batch: 'p',
      total_room_count_estimate: 1,
    }),
  },
  'a space': {
    what: 'hierarchy/',
    ask: async (stage) => walk(stage, await ownSpace(stage)),
    honest: () => ({
      room: {
        room_id: space,
        room_type: 'm.space',
        num_joined_members: 1,
        join_rule: 'public',
        children_state: [
          {
            type: 'm.space.child',
            state_key: '!c:evil.test',
            sender: bob,
            origin_server_ts: 1,
            content: { via: ['evil.test'] },
          },
        ],
      },
      children: [{ room_id: '!c:evil.test', num_joined_members: 1, join_rule: 'public', allowed_room_ids: [space] }],
      inaccessible_children: ['!d:evil.test'],
    }),
  },
  'identity keys': {
    what: 'user/keys/query',
    ask: queryBob,
    honest: () => ({
      device_keys: { [bob]: { PHONE: device(bob, 'PHONE') } },
      master_keys: { [bob]: crossKey(bob, 'master') },
      self_signing_keys: { [bob]: crossKey(bob, 'self_signing') },
    }),
  },
  'one-time keys': {
    what: 'user/keys/claim',
    ask: claimBob,
    honest: () => ({ one_time_keys: { [bob]: { PHONE: { 'signed_curve25519:A': { key: 'k', signatures: {} } } } } }),
  },
  devices: {
    what: 'user/devices/',
    ask: queryBob,
    honest: () => ({
      user_id: bob,
      stream_id: 5,
      devices: [{ device_id: 'PHONE', device_display_name: 'Phone', keys: device(bob, 'PHONE') }],
      master_key: crossKey(bob, 'master'),
      self_signing_key: crossKey(bob, 'self_signing'),
    }),
  },
  'an event of a time': {
    what: 'timestamp_to_event/',
    ask: (stage) => eventByTime(stage, stage.home.rt.clock.now() + 1),
    honest: (stage) => ({ event_id: `$${'a'.repeat(43)}`, origin_server_ts: stage.home.rt.clock.now() + 5 }),
  },
}

/** Every answer that comes of an honest one when one value in it is something else, or is not there. */
function* twisted(honest: Json): Generator<Json> {
  yield* ODD
  if (typeof honest !== 'object' || honest === null) return
  for (const [key, value] of Object.entries(honest)) {
    for (const odd of twisted(value)) {
      if (Array.isArray(honest)) yield honest.map((each, at) => (String(at) === key ? odd : each))
      else yield { ...(honest as JsonObject), [key]: odd }
    }
    if (!Array.isArray(honest)) yield Object.fromEntries(Object.entries(honest).filter(([name]) => name !== key))
  }
}

/** A space of ours with a child that only the hostile server knows. */
async function ownSpace({ home, alice }: Stage): Promise<string> {
  const creationContent = { type: 'm.space' }
  const { roomId, send } = await authorRoom(home.rt, alice.userId, { creationContent })
  await send(alice.userId, 'm.space.child', { via: ['evil.test'] }, space)
  return roomId
}

const walk = (stage: Stage, roomId: string) =>
  ask(stage, 'GET', `/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/hierarchy?limit=1000`)

describe('the answers of a hostile server', () => {
  for (const [name, { what, ask: put, honest }] of Object.entries(QUESTIONS)) {
    test(`4.2 A: to a question for ${name} may be anything, and our client still reads what it may`, () =>
      onStage(undefined, '12', async (stage) => {
        const whole = ['', 'x', '[', DEEP, '{"a":1,"a":2}', '"\\ud800"', '{"__proto__":{"displayname":"x"}}']
        for (const answer of [...whole, ...[...twisted(honest(stage))].map((json) => JSON.stringify(json))]) {
          stage.evil.answers.set(what, () => answer)
          const { status, body } = await put(stage)
          const isFit = [200, 403, 404, 502].includes(status)
          assert.ok(isFit && typeof body === 'object', `${status} ${JSON.stringify(body)} to ${answer.slice(0, 300)}`)
          await stage.home.workers.deviceLists.settled()
          stage.home.rt.clock.advance(MINUTES)
        }
        stage.evil.answers.set(what, () => honest(stage))
        assert.equal((await put(stage)).status, 200)
        const count = stage.evil.asked.filter(({ target }) => target.includes(`/v1/${what}`)).length
        assert.ok(count > 10, `${count} questions`)
      }))
  }

  test('4.2 D: of any length is read up to a limit, and what was asked of others is answered', () =>
    onStage(undefined, '12', async (stage) => {
      const long = JSON.stringify({ displayname: 'x'.repeat(17 * 1024 * 1024) })
      for (const [name, { what, ask: put }] of Object.entries(QUESTIONS)) {
        stage.evil.answers.set(what, () => long)
        const { status, body } = await put(stage)
        assert.ok([200, 404, 502].includes(status), `${name}: ${status}`)
        assert.ok(JSON.stringify(body).length < 10_000, name)
      }
    }))
})

onEveryDatabase('keys sent by a hostile server', (open) => {
  const others = async ({ home, alice }: Stage): Promise<readonly string[]> => {
    const { userId } = await home.register('ours')
    return [alice.userId, userId, witness, mallory, '__proto__']
  }

  test('CVE-2022-36059: contain the requested users only', () =>
    onStage(open, '12', async (stage) => {
      const users = [bob, ...(await others(stage))]
      const all = <T extends Json>(make: (user: string) => T) =>
        Object.fromEntries(users.map((user) => [user, make(user)]))
      stage.evil.answers.set(
        'user/keys/query',
        always({
          device_keys: all((user) => ({ PHONE: device(user, 'PHONE'), __proto__: device(user, '__proto__') })),
          master_keys: all((user) => crossKey(user, 'master')),
          self_signing_keys: all((user) => crossKey(user, 'self_signing')),
          user_signing_keys: all((user) => crossKey(user, 'user_signing')),
        }),
      )
      const { body } = await queryBob(stage)
      for (const kind of ['device_keys', 'master_keys', 'self_signing_keys'])
        assert.deepEqual(Object.keys(body[kind] as object), [bob], kind)
      assert.deepEqual(Object.keys((body['user_signing_keys'] ?? {}) as object), [])
    }))

  test('CVE-2022-39250: go under the name that stands in them, or not at all', () =>
    onStage(open, '12', async (stage) => {
      stage.evil.answers.set(
        'user/keys/query',
        always({
          device_keys: {
            [bob]: {
              GOOD: device(bob, 'GOOD'),
              PHONE: device(bob, 'OTHER'),
              THEIRS: device(witness, 'THEIRS'),
              NONE: { keys: {} },
            },
          },
          master_keys: { [bob]: crossKey(witness, 'master') },
          self_signing_keys: { [bob]: { user_id: bob, usage: ['self_signing'] } },
        }),
      )
      const { body } = await queryBob(stage)
      assert.deepEqual(Object.keys((body['device_keys'] as Record<string, object>)[bob] ?? {}), ['GOOD'])
      assert.deepEqual([body['master_keys'], body['self_signing_keys']], [{}, {}])
    }))

  test('4.2 G: taken once are one for the device and the algorithm asked for', () =>
    onStage(open, '12', async (stage) => {
      const key = { key: 'k', signatures: {} }
      const keys = { 'curve25519:A': 'k', 'signed_curve25519:A': key, 'signed_curve25519:B': key, __proto__: key }
      const devices = { PHONE: keys, OTHER: keys }
      const users = await others(stage)
      stage.evil.answers.set(
        'user/keys/claim',
        always({ one_time_keys: Object.fromEntries([bob, ...users].map((user) => [user, devices])) }),
      )
      const { body } = await claimBob(stage)
      assert.deepEqual(body['one_time_keys'], { [bob]: { PHONE: { 'signed_curve25519:A': key } } })
    }))

  const lists: Readonly<Record<string, JsonObject>> = {
    'of somebody else': { user_id: witness },
    'without a number': { stream_id: 'x' },
    'of 1,500 devices': {
      devices: Array.from({ length: 1_500 }, (_, at) => ({ device_id: `D${at}`, keys: device(bob, `D${at}`) })),
    },
    'with a device that is none': { devices: [7] },
  }
  for (const [name, change] of Object.entries(lists)) {
    test(`CVE-2023-43796: a list of devices ${name} is not kept`, () =>
      onStage(open, '12', async (stage) => {
        const { honest } = QUESTIONS['devices']!
        stage.evil.answers.set('user/devices/', always({ ...honest(stage), ...change }))
        await queryBob(stage)
        await stage.home.workers.deviceLists.settled()
        assert.equal(stage.evil.asked.filter(({ target }) => target.includes('/user/devices/')).length, 1)
        assert.deepEqual(await remoteDeviceLists(stage.home.rt.db.read, [bob, witness] as UserId[]), [])
      }))
  }

  test('CVE-2022-39250: a cached device list has no device and no key of another user', () =>
    onStage(open, '12', async (stage) => {
      const { honest } = QUESTIONS['devices']!
      const devices = [
        { device_id: 'GOOD', keys: device(bob, 'GOOD') },
        { device_id: 'THEIRS', keys: device(witness, 'THEIRS') },
        { device_id: 'PHONE', keys: device(bob, 'OTHER') },
      ]
      const more = { devices, master_key: crossKey(witness, 'master'), self_signing_key: crossKey(witness, 'x') }
      stage.evil.answers.set('user/devices/', always({ ...honest(stage), ...more }))
      await queryBob(stage)
      await stage.home.workers.deviceLists.settled()
      const [kept] = await remoteDeviceLists(stage.home.rt.db.read, [bob as UserId])
      assert.ok(kept)
      assert.deepEqual(Object.keys(kept.list['devices'] as object), ['GOOD'])
      assert.deepEqual(Object.keys(kept.list), ['devices'])
    }))
})

onEveryDatabase('where a hostile server sends us', (open) => {
  test('4.3.13: 40,000 servers of an alias are a hundred', () =>
    onStage(open, '12', async (stage) => {
      const servers = Array.from({ length: 40_000 }, (_, at) => `s${at}.test`)
      stage.evil.answers.set('query/directory', always({ room_id: space, servers }))
      const { body } = await QUESTIONS['an alias']!.ask(stage)
      assert.equal((body['servers'] as unknown[]).length, 101)
    }))

  test('CVE-2025-59160: a space of spaces without end costs a bounded number of questions', () =>
    onStage(open, '12', async (stage) => {
      const own = await ownSpace(stage)
      let serial = 0
      stage.evil.answers.set('hierarchy/', ({ target }) => {
        const roomId = decodeURIComponent(target.split('/').at(-1) ?? '').split('?')[0] ?? ''
        const children = Array.from({ length: 50 }, () => `!c${serial++}:evil.test`)
        return {
          room: {
            room_id: roomId,
            room_type: 'm.space',
            num_joined_members: 1,
            join_rule: 'public',
            children_state: [...children, roomId, space, own].map((child) => ({
              type: 'm.space.child',
              state_key: child,
              sender: bob,
              origin_server_ts: 1,
              content: { via: ['evil.test', 'nobody.test', '127.0.0.1'] },
            })),
          },
          children: [],
          inaccessible_children: [],
        }
      })
      const { status } = await walk(stage, own)
      assert.equal(status, 200)
      const asked = stage.peers.asked.filter(({ target }) => target.includes('/hierarchy/'))
      assert.ok(asked.length > 10 && asked.length <= 300, `${asked.length}`)
    }))

  test('4.3.13: a directory has the rooms that it names, and numbers that are counts', () =>
    onStage(open, '12', async (stage) => {
      const { what, ask: put } = QUESTIONS['a room directory']!
      const rooms = Array.from({ length: 3000 }, (_, at) => ({ room_id: `!r${at}:evil.test`, num_joined_members: -at }))
      for (const total_room_count_estimate of [1e300, -1, 0.5, 'x']) {
        stage.evil.answers.set(what, always({ chunk: [{ name: 'none' }, 7, ...rooms], total_room_count_estimate }))
        const { body } = await put(stage)
        const chunk = body['chunk'] as { num_joined_members: number }[]
        assert.deepEqual([chunk.length, body['total_room_count_estimate']], [498, 498])
        assert.ok(chunk.every(({ num_joined_members: count }) => count === 0))
      }
    }))

  test('4.3.13: a profile has no unreadable field, and none of a wrong type', () =>
    onStage(open, '12', async (stage) => {
      const { what, ask: put } = QUESTIONS['a profile']!
      stage.evil.answers.set(what, () => `{"displayname":{"a":1},"avatar_url":7,"__proto__":{"x":1},"m.tz":"Mars"}`)
      const { body } = await put(stage)
      assert.deepEqual([body['displayname'], body['avatar_url'], body['m.tz']], [undefined, undefined, 'Mars'])
      assert.equal(({} as Record<string, unknown>)['x'], undefined)
    }))

  test('4.3.8: an event whose time is missing or in the wrong direction is not relayed', () =>
    onStage(open, '12', async (stage) => {
      const now = stage.home.rt.clock.now()
      for (const origin_server_ts of [now - 1, 1e300, now + 100.5, -1, 2 ** 60]) {
        stage.evil.answers.set('timestamp_to_event/', always({ event_id: `$${'a'.repeat(43)}`, origin_server_ts }))
        assert.equal((await eventByTime(stage, now + 1)).status, 404, String(origin_server_ts))
      }
    }))
})
