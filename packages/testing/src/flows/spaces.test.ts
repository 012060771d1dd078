// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { testNetwork } from '@myelin/testing/network'
import type { TestNetwork } from '@myelin/testing/network'
import { authorOf } from '@myelin/testing/room-author'
import type { TestServer } from '@myelin/testing/server'

type User = { userId: string; token: string }
type TreeRoom = { room_id: string; room_type?: string; children_state: { state_key: string }[] }

describe('a tree of spaces over two servers', () => {
  let net: TestNetwork
  let one: TestServer
  let two: TestServer
  let alice: User
  let dora: User
  // By their names: what the tests below speak of.
  const rooms: Record<string, string> = {}
  const nameOf = (id: string) => Object.entries(rooms).find(([, room]) => room === id)?.[0] ?? id

  const create = async (server: TestServer, { token }: User, name: string, body: object = {}) => {
    const options = { preset: 'public_chat', name, ...body }
    const answer = await server.call('POST', '/_matrix/client/v3/createRoom', { token, body: options })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    rooms[name] = String(answer.body['room_id'])
  }
  const hold = async (
    server: TestServer,
    { token }: User,
    [space, child]: readonly [string, string],
    content: object,
  ) => {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(rooms[space]!)}/state/m.space.child/${encodeURIComponent(rooms[child]!)}`
    assert.equal((await server.call('PUT', path, { token, body: content })).status, 200)
  }
  const space = { creation_content: { type: 'm.space' } }

  before(async () => {
    net = await testNetwork({ servers: 3 })
    one = net.server('one.test')
    two = net.server('two.test')
    alice = await one.register('alice')
    dora = await two.register('dora')
    await create(one, alice, 'root', space)
    await create(one, alice, 'open', { room_alias_name: 'open' })
    await create(one, alice, 'secret', { preset: 'private_chat' })
    const allow = [{ type: 'm.room_membership', room_id: rooms['secret'] }]
    const rule = { type: 'm.room.join_rules', state_key: '', content: { join_rule: 'restricted', allow } }
    await create(one, alice, 'restricted', { initial_state: [rule] })
    await create(two, dora, 'branch', space)
    await create(two, dora, 'leaf')
    await create(two, dora, 'hidden', { preset: 'private_chat' })
    const via = (name: string) => ({ via: [name] })
    await hold(one, alice, ['root', 'open'], { ...via('one.test'), order: 'b' })
    await hold(one, alice, ['root', 'branch'], { ...via('two.test'), order: 'a', suggested: true })
    await hold(one, alice, ['root', 'secret'], via('one.test'))
    await hold(one, alice, ['root', 'restricted'], via('one.test'))
    await hold(one, alice, ['root', 'leaf'], { order: 'c' })
    await hold(two, dora, ['branch', 'leaf'], via('two.test'))
    await hold(two, dora, ['branch', 'hidden'], via('two.test'))
    // Round in a circle.
    await hold(two, dora, ['branch', 'root'], via('one.test'))
  })
  after(() => net.close())

  const tree = async (query = '', user = alice, server = one) => {
    const path = `/_matrix/client/v1/rooms/${encodeURIComponent(rooms['root']!)}/hierarchy?${query}`
    return server.call('GET', path, { token: user.token })
  }
  const namesIn = ({ body }: { body: Record<string, unknown> }) =>
    (body['rooms'] as TreeRoom[]).map((room) => nameOf(room.room_id))

  test('is walked depth first, each room once, those of other servers too', async () => {
    const answer = await tree()
    assert.deepEqual(namesIn(answer), ['root', 'branch', 'leaf', 'open', 'secret', 'restricted'])
    assert.equal(answer.body['next_batch'], undefined)
    const [root, branch, leaf] = answer.body['rooms'] as TreeRoom[]
    const shown = root?.children_state.map((child) => nameOf(child.state_key))
    assert.deepEqual(shown, ['branch', 'open', 'secret', 'restricted'])
    assert.equal(branch?.room_type, 'm.space')
    assert.deepEqual(leaf?.children_state, [])
  })

  test('is the same in pages', async () => {
    const whole = namesIn(await tree())
    for (const limit of [1, 2, 5]) {
      const paged: string[] = []
      let from: string | undefined
      do {
        const answer = await tree(`limit=${limit}${from === undefined ? '' : `&from=${from}`}`)
        assert.ok(namesIn(answer).length <= limit)
        paged.push(...namesIn(answer))
        from = answer.body['next_batch'] as string | undefined
      } while (from !== undefined)
      assert.deepEqual(paged, whole)
    }
  })

  test('may be cut at a depth, and to what is suggested', async () => {
    assert.deepEqual(namesIn(await tree('max_depth=0')), ['root'])
    assert.deepEqual(namesIn(await tree('max_depth=1')), ['root', 'branch', 'open', 'secret', 'restricted'])
    assert.deepEqual(namesIn(await tree('suggested_only=true')), ['root', 'branch'])
  })

  test('shows no room that the user may not enter', async () => {
    const carol = await one.register('carol')
    assert.deepEqual(namesIn(await tree('', carol)), ['root', 'branch', 'leaf', 'open'])
    const path = `/_matrix/client/v1/rooms/${encodeURIComponent(rooms['secret']!)}/hierarchy`
    const refusal = await one.call('GET', path, { token: carol.token })
    assert.deepEqual([refusal.status, refusal.body['errcode']], [403, 'M_FORBIDDEN'])
  })

  test('takes no token of another walk, or none at all', async () => {
    const from = String((await tree('limit=1')).body['next_batch'])
    for (const query of [`from=${from}&max_depth=1`, `from=${from}&suggested_only=true`, 'from=nonsense', 'limit=0']) {
      const { status, body } = await tree(query)
      assert.deepEqual([status, body['errcode']], [400, 'M_INVALID_PARAM'], query)
    }
  })

  test('is sent to another server as far as its users could join', async () => {
    const ask = (name: string, by = two) => {
      const target = federationPath(['federation', 'v1', 'hierarchy', rooms[name]!])
      return by.rt.remote.call('one.test' as ServerName, { method: 'GET', target })
    }
    const received = (await ask('root')) as unknown as {
      room: TreeRoom
      children: TreeRoom[]
      inaccessible_children: string[]
    }
    assert.equal(received.room.children_state.length, 4)
    assert.deepEqual(
      received.children.map((child) => nameOf(child.room_id)),
      ['open'],
    )
    assert.deepEqual(received.inaccessible_children.map(nameOf), ['secret', 'restricted'])
    await assert.rejects(ask('secret'), { status: 404, errcode: 'M_NOT_FOUND' })
    await authorOf(one.rt, rooms['secret'] as never).member(alice.userId, '@guest:three.test', 'invite')
    assert.equal(((await ask('secret', net.server('three.test')))['room'] as JsonObject)['room_id'], rooms['secret'])
  })

  test('has rooms whose summary any user may read', async () => {
    const ask = (id: string, query = '', token?: string) =>
      two.call(
        'GET',
        `/_matrix/client/v1/room_summary/${encodeURIComponent(id)}${query}`,
        token === undefined ? {} : { token },
      )
    const byAlias = await ask('#open:one.test')
    assert.deepEqual([byAlias.status, byAlias.body['name'], byAlias.body['membership']], [200, 'open', undefined])
    assert.equal((await ask(rooms['open']!, '?via=one.test')).body['room_version'], '12')
    assert.equal((await ask(rooms['leaf']!, '', dora.token)).body['membership'], 'join')
    assert.equal((await ask(rooms['hidden']!, '', dora.token)).status, 200)
    for (const answer of [
      await ask(rooms['hidden']!),
      await ask(rooms['secret']!, '?via=one.test'),
      await ask('#no:one.test'),
    ]) {
      assert.deepEqual([answer.status, answer.body['errcode']], [404, 'M_NOT_FOUND'])
    }
    assert.equal((await ask('nothing')).body['errcode'], 'M_INVALID_PARAM')
  })

  test('has rooms in which events are found by their time', async () => {
    const room = authorOf(two.rt, rooms['leaf'] as never)
    const events = [await room.say(dora.userId, 'first'), await room.say(dora.userId, 'second')]
    const now = net.clock.now()
    const path = `/_matrix/client/v1/rooms/${encodeURIComponent(rooms['leaf']!)}/timestamp_to_event`
    const find = async (ts: number, dir: string, token = dora.token) => {
      const { status, body } = await two.call('GET', `${path}?ts=${ts}&dir=${dir}`, { token })
      return status === 200 ? body['event_id'] : `${status} ${String(body['errcode'])}`
    }
    assert.equal(await find(now, 'b'), events[1])
    assert.equal(await find(now - 1, 'b'), events[0])
    assert.equal(await find(now - 999, 'f'), events[1])
    assert.equal(await find(now, 'f'), events[1])
    assert.equal(await find(now + 1, 'f'), '404 M_NOT_FOUND')
    assert.equal(await find(0, 'b'), '404 M_NOT_FOUND')
    assert.equal(await find(now, 'x'), '400 M_INVALID_PARAM')
    const stranger = await two.register('stranger')
    assert.equal(await find(now, 'b', stranger.token), '403 M_FORBIDDEN')
  })
})
