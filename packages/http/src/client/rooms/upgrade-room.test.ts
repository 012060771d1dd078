// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'

type Person = { readonly userId: string; readonly token: string }
const V3 = '/_matrix/client/v3'
const at = (room: string, rest: string) => `${V3}/rooms/${encodeURIComponent(room)}/${rest}`

class Stage {
  readonly server: TestServer
  readonly alice: Person
  readonly bob: Person
  constructor(server: TestServer, alice: Person, bob: Person) {
    this.server = server
    this.alice = alice
    this.bob = bob
  }

  async ok(method: string, path: string, token: string, body?: object): Promise<Record<string, unknown>> {
    const answer = await this.server.call(method, path, { token, ...(body ? { body } : {}) })
    assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  async create(body: object): Promise<string> {
    return String((await this.ok('POST', `${V3}/createRoom`, this.alice.token, body))['room_id'])
  }

  async upgrade(room: string, body: object): Promise<string> {
    return String((await this.ok('POST', at(room, 'upgrade'), this.alice.token, body))['replacement_room'])
  }

  /** Undefined where there is no such state. */
  async state(room: string, type: string, key = ''): Promise<Record<string, unknown> | undefined> {
    const path = at(room, `state/${type}/${encodeURIComponent(key)}`)
    const { status, body } = await this.server.call('GET', path, { token: this.alice.token })
    return status === 200 ? body : undefined
  }

  async refusal(room: string, token: string, body: object): Promise<unknown[]> {
    const answer = await this.server.call('POST', at(room, 'upgrade'), { token, body })
    return [answer.status, answer.body['errcode']]
  }
}

onEveryDatabase('upgrading a room', (open) => {
  const onStage = async (play: (stage: Stage) => Promise<void>) => {
    const server = await testServer(open)
    try {
      await play(new Stage(server, await server.register('alice'), await server.register('bob')))
    } finally {
      await server.close()
    }
  }

  for (const [from, to] of [
    ['1', '6'],
    ['10', '11'],
    ['10', '12'],
    ['12', '11'],
    ['12', '12'],
  ] as const) {
    test(`replaces a room of version ${from} by one of version ${to}`, () =>
      onStage(async (stage) => {
        const { alice, bob } = stage
        const old = await stage.create({ room_version: from, preset: 'public_chat', name: 'name', topic: 'topic' })
        const room = await stage.upgrade(old, { new_version: to })
        const create = await stage.state(room, 'm.room.create')
        assert.equal(create?.['room_version'], to)
        const predecessor = create['predecessor'] as Record<string, unknown>
        assert.equal(predecessor['room_id'], old)
        assert.equal((await stage.state(old, 'm.room.tombstone'))?.['replacement_room'], room)
        const events = await stage.ok('GET', at(old, 'messages?dir=b&limit=10'), alice.token)
        const chunk = events['chunk'] as { type: string; event_id: string }[]
        const tombstone = chunk.find(({ type }) => type === 'm.room.tombstone')?.event_id
        assert.ok(to === '12' ? predecessor['event_id'] === undefined : predecessor['event_id'] === tombstone)
        for (const type of ['name', 'topic', 'join_rules', 'history_visibility', 'guest_access'])
          assert.deepEqual(await stage.state(room, `m.room.${type}`), await stage.state(old, `m.room.${type}`))
        const levels = await stage.state(room, 'm.room.power_levels')
        assert.deepEqual(levels?.['users'], to === '12' ? {} : { [alice.userId]: from === '12' ? 150 : 100 })
        const quiet = await stage.state(old, 'm.room.power_levels')
        assert.deepEqual([quiet?.['events_default'], quiet?.['invite']], [50, 50])
        await stage.ok('POST', at(room, 'join'), bob.token, {})
        await stage.ok('PUT', at(room, 'state/m.room.name/'), alice.token, { name: 'another' })
      }))
  }

  test('moves aliases, directory entry, space children and bans, but not what belongs to other users', () =>
    onStage(async (stage) => {
      const { alice, bob, server } = stage
      const old = await stage.create({
        room_version: '10',
        visibility: 'public',
        room_alias_name: 'space',
        creation_content: { type: 'm.space', 'm.federate': false, 'org.other': 1 },
      })
      const alias = `#space:${server.name}`
      await stage.ok('PUT', at(old, 'state/m.space.child/!child:x'), alice.token, { via: ['x'] })
      await stage.ok('PUT', at(old, 'state/org.custom/'), alice.token, { a: 1 })
      await stage.ok('POST', at(old, 'ban'), alice.token, { user_id: bob.userId, reason: 'why' })
      const room = await stage.upgrade(old, { new_version: '11' })
      const create = await stage.state(room, 'm.room.create')
      const { predecessor: _, ...rest } = create ?? {}
      assert.deepEqual(rest, { type: 'm.space', 'm.federate': false, room_version: '11' })
      const found = await stage.ok('GET', `${V3}/directory/room/${encodeURIComponent(alias)}`, alice.token)
      assert.equal(found['room_id'], room)
      assert.deepEqual(await stage.state(room, 'm.room.canonical_alias'), { alias })
      assert.deepEqual(await stage.state(old, 'm.room.canonical_alias'), {})
      const listed = await stage.ok('GET', `${V3}/publicRooms`, alice.token)
      assert.deepEqual(
        (listed['chunk'] as { room_id: string }[]).map(({ room_id: id }) => id),
        [room],
      )
      assert.deepEqual(await stage.state(room, 'm.space.child', '!child:x'), { via: ['x'] })
      assert.deepEqual(await stage.state(room, 'm.room.member', bob.userId), { membership: 'ban', reason: 'why' })
      assert.equal(await stage.state(room, 'org.custom'), undefined)
    }))

  test('copies tags and push rules of the old room when its members join', () =>
    onStage(async (stage) => {
      const { alice, bob } = stage
      const old = await stage.create({ room_version: '11', preset: 'public_chat' })
      await stage.ok('POST', at(old, 'join'), bob.token, {})
      const mine = `${V3}/user/${encodeURIComponent(bob.userId)}`
      const tags = (room: string) => `${mine}/rooms/${encodeURIComponent(room)}/tags`
      await stage.ok('PUT', `${tags(old)}/u.work`, bob.token, { order: 0.5 })
      await stage.ok('PUT', `${mine}/account_data/m.direct`, bob.token, { [alice.userId]: [old] })
      const rule = (room: string) => `${V3}/pushrules/global/room/${encodeURIComponent(room)}`
      await stage.ok('PUT', rule(old), bob.token, { actions: [] })
      const muting = { conditions: [{ kind: 'event_match', key: 'room_id', pattern: old }], actions: [] }
      await stage.ok('PUT', `${V3}/pushrules/global/override/${encodeURIComponent(old)}`, bob.token, muting)
      const room = await stage.upgrade(old, { new_version: '12', additional_creators: [bob.userId] })
      assert.deepEqual((await stage.state(room, 'm.room.create'))?.['additional_creators'], [bob.userId])
      await stage.ok('POST', at(room, 'join'), bob.token, {})
      assert.deepEqual(await stage.ok('GET', tags(room), bob.token), { tags: { 'u.work': { order: 0.5 } } })
      const direct = await stage.ok('GET', `${mine}/account_data/m.direct`, bob.token)
      assert.deepEqual(direct, { [alice.userId]: [old, room] })
      assert.deepEqual((await stage.ok('GET', `${rule(room)}/actions`, bob.token))['actions'], [])
      const muted = await stage.ok('GET', `${V3}/pushrules/global/override/${encodeURIComponent(room)}`, bob.token)
      assert.deepEqual(muted['conditions'], [{ kind: 'event_match', key: 'room_id', pattern: room }])
    }))

  test('copies nothing into a room that the old one does not name as its replacement', () =>
    onStage(async (stage) => {
      const { bob } = stage
      const old = await stage.create({ preset: 'public_chat' })
      await stage.ok('POST', at(old, 'join'), bob.token, {})
      const tags = (room: string) =>
        `${V3}/user/${encodeURIComponent(bob.userId)}/rooms/${encodeURIComponent(room)}/tags`
      await stage.ok('PUT', `${tags(old)}/u.work`, bob.token, {})
      const room = await stage.create({ preset: 'public_chat', creation_content: { predecessor: { room_id: old } } })
      await stage.ok('POST', at(room, 'join'), bob.token, {})
      assert.deepEqual(await stage.ok('GET', tags(room), bob.token), { tags: {} })
    }))

  test('is refused without effect to users without permission, and for unknown versions', () =>
    onStage(async (stage) => {
      const { alice, bob } = stage
      const room = await stage.create({ room_version: '11', preset: 'public_chat' })
      await stage.ok('POST', at(room, 'join'), bob.token, {})
      const newest = async () => (await stage.ok('GET', at(room, 'messages?dir=b&limit=1'), alice.token))['chunk']
      const before = (await newest()) as { event_id: string }[]
      assert.deepEqual(await stage.refusal(room, bob.token, { new_version: '12' }), [403, 'M_FORBIDDEN'])
      assert.deepEqual(await stage.refusal(room, bob.token, { new_version: '11' }), [403, 'M_FORBIDDEN'])
      const unknown = [400, 'M_UNSUPPORTED_ROOM_VERSION']
      assert.deepEqual(await stage.refusal(room, alice.token, { new_version: 'none' }), unknown)
      assert.deepEqual(await stage.refusal(room, alice.token, {}), [400, 'M_MISSING_PARAM'])
      assert.deepEqual(await stage.refusal('!nowhere:x', alice.token, { new_version: '11' }), [403, 'M_FORBIDDEN'])
      const wrong = { new_version: '12', additional_creators: ['bob'] }
      assert.deepEqual(await stage.refusal(room, alice.token, wrong), [400, 'M_BAD_JSON'])
      const after = (await newest()) as { event_id: string }[]
      assert.equal(after[0]?.event_id, before[0]?.event_id)
      assert.deepEqual((await stage.ok('GET', `${V3}/joined_rooms`, bob.token))['joined_rooms'], [room])
    }))
})
