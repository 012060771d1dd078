// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../databases.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'

type Person = Awaited<ReturnType<TestServer['register']>>

async function ready(open: Parameters<typeof testServer>[0]) {
  const server = await testServer(open)
  const alice = await server.register('alice')
  const call = (who: Person, method: string, path: string, body?: object) =>
    server.call(method, `/_matrix/client/v3/${path}`, { token: who.token, ...(body ? { body } : {}) })
  const create = async (body: object) => {
    const answer = await call(alice, 'POST', 'createRoom', body)
    return { ...answer, roomId: String(answer.body['room_id']) }
  }
  const at = (roomId: string, rest: string) => `rooms/${encodeURIComponent(roomId)}/${rest}`
  return { server, alice, call, create, at }
}

const BAD_STATE: readonly (readonly [string, { type: string; content: object }])[] = [
  ['an encryption event without an algorithm', { type: 'm.room.encryption', content: {} }],
  ['power levels as text', { type: 'm.room.power_levels', content: { ban: '50' } }],
  ['an ACL that denies the local server', { type: 'm.room.server_acl', content: { allow: ['*'], deny: ['one.test'] } }],
  ['an ACL that allows no server', { type: 'm.room.server_acl', content: {} }],
  ['mentions that are no object', { type: 'm.room.topic', content: { topic: 'x', 'm.mentions': 'x' } }],
  ['mentions with one user who is in no list', { type: 'org.a', content: { 'm.mentions': { user_ids: '@a:b' } } }],
  ['mentions of what is no user', { type: 'org.a', content: { 'm.mentions': { user_ids: [1] } } }],
  ['mentions with a room that is no boolean', { type: 'org.a', content: { 'm.mentions': { room: 'yes' } } }],
  ['an alias of no room', { type: 'm.room.canonical_alias', content: { alias: '#none:one.test' } }],
]

onEveryDatabase('state', (open) => {
  for (const [name, event] of BAD_STATE) {
    test(`with ${name} is refused by every request that could set it`, async () => {
      const { server, alice, call, create, at } = await ready(open)
      const { roomId } = await create({})
      const put = await call(alice, 'PUT', at(roomId, `state/${event.type}/`), event.content)
      const before = (await call(alice, 'GET', 'joined_rooms')).body
      const initial = await create({ initial_state: [{ ...event, state_key: '' }] })
      assert.equal(put.status, 400)
      assert.deepEqual([initial.status, initial.body['errcode']], [400, put.body['errcode']])
      assert.deepEqual((await call(alice, 'GET', 'joined_rooms')).body, before)
      await server.close()
    })
  }

  test('of a member has a name as short as a profile has', async () => {
    const { server, alice, call, create, at } = await ready(open)
    const { roomId } = await create({})
    const path = at(roomId, `state/m.room.member/${encodeURIComponent(alice.userId)}`)
    const long = await call(alice, 'PUT', path, { membership: 'join', displayname: 'x'.repeat(257) })
    const fits = await call(alice, 'PUT', path, { membership: 'join', displayname: 'x'.repeat(256) })
    assert.deepEqual([long.status, long.body['errcode'], fits.status], [400, 'M_BAD_JSON', 200])
    await server.close()
  })
})

onEveryDatabase('a redaction', (open) => {
  test('of an ACL is refused, and of an event that is not here yet takes the power to redact', async () => {
    const { server, alice, call, create, at } = await ready(open)
    const bob = await server.register('bob')
    const { roomId } = await create({ preset: 'public_chat' })
    await call(bob, 'POST', at(roomId, 'join'), {})
    const acl = await call(alice, 'PUT', at(roomId, 'state/m.room.server_acl/'), { allow: ['*'] })
    const redact = (who: Person, id: string) =>
      call(who, 'PUT', at(roomId, `redact/${encodeURIComponent(id)}/${id}`), {})
    const elsewhere = `$${'e'.repeat(43)}`
    const ofAcl = await redact(alice, String(acl.body['event_id']))
    assert.deepEqual([ofAcl.status, ofAcl.body['errcode']], [403, 'M_FORBIDDEN'])
    assert.equal((await redact(alice, elsewhere)).status, 200)
    assert.deepEqual((await redact(bob, elsewhere)).body['errcode'], 'M_NOT_FOUND')
    await server.close()
  })
})

onEveryDatabase('the power levels of a new room', (open) => {
  test('let all members invite except into a public room, where calls need a level too', async () => {
    const { server, alice, call, create, at } = await ready(open)
    const levels = async (body: object) => {
      const { roomId } = await create(body)
      return (await call(alice, 'GET', at(roomId, 'state/m.room.power_levels/'))).body
    }
    const [closed, open_, listed] = [
      await levels({ preset: 'private_chat' }),
      await levels({ preset: 'public_chat' }),
      await levels({ visibility: 'public' }),
    ]
    assert.deepEqual([closed['invite'], open_['invite'], listed['invite']], [0, 50, 50])
    const callLevel = (body: Record<string, unknown>) => (body['events'] as Record<string, number>)['m.call.invite']
    assert.deepEqual([callLevel(closed), callLevel(open_)], [undefined, 50])
    await server.close()
  })

  test('keep tombstones for creators where a room is upgraded to a version in which creators outrank all levels', async () => {
    const { server, alice, call, create, at } = await ready(open)
    const { roomId } = await create({ room_version: '10' })
    const upgraded = await call(alice, 'POST', at(roomId, 'upgrade'), { new_version: '12' })
    const room = String(upgraded.body['replacement_room'])
    const { body } = await call(alice, 'GET', at(room, 'state/m.room.power_levels/'))
    assert.equal((body['events'] as Record<string, number>)['m.room.tombstone'], 150)
    await server.close()
  })
})
