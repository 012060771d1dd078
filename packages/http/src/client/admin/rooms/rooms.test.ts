// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { putAdmin } from '@myelin/storage/accounts/accounts'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'

const v3 = '/_matrix/client/v3'
const v1 = '/_synapse/admin/v1'

onEveryDatabase('an admin', (open) => {
  let server: TestServer
  const tokens = new Map<string, string>()
  before(async () => {
    server = await testServer(open)
    for (const name of ['root', 'alice', 'bob']) tokens.set(name, (await server.register(name)).token)
    await server.rt.db.write((tx) => putAdmin(tx, '@root:one.test' as UserId, true))
  })
  after(() => server.close())

  const call = (as: string, method: string, path: string, body?: object) =>
    server.call(method, path, { token: tokens.get(as) ?? '', ...(body ? { body } : {}) })
  const create = async (as: string, preset: string) =>
    String((await call(as, 'POST', `${v3}/createRoom`, { preset, name: 'A room' })).body['room_id'])

  test('sees the members and the state of rooms of others', async () => {
    const room = await create('alice', 'private_chat')
    const members = await call('root', 'GET', `${v1}/rooms/${room}/members`)
    assert.deepEqual([members.status, members.body], [200, { members: ['@alice:one.test'], total: 1 }])
    const { body } = await call('root', 'GET', `${v1}/rooms/${room}/state`)
    const types = (body['state'] as { type: string }[]).map(({ type }) => type)
    assert.ok(types.includes('m.room.create') && types.includes('m.room.name'))
    const names = await call('root', 'GET', `${v1}/rooms/${room}/state?type=m.room.name`)
    const [name, ...others] = names.body['state'] as { content: object; state_key: string }[]
    assert.deepEqual([name?.content, name?.state_key, others], [{ name: 'A room' }, '', []])
    for (const path of [`rooms/${room}/members`, `rooms/${room}/state`]) {
      assert.equal((await call('bob', 'GET', `${v1}/${path}`)).status, 403)
    }
  })

  test('joins users to public rooms, and to private ones where the admin may invite', async () => {
    const join = (room: string, user: string) => call('root', 'POST', `${v1}/join/${room}`, { user_id: user })
    const [shown, own] = [await create('alice', 'public_chat'), await create('root', 'private_chat')]
    for (const room of [shown, own]) {
      const joined = await join(room, '@bob:one.test')
      assert.deepEqual([joined.status, joined.body], [200, { room_id: room }])
      assert.equal((await join(room, '@bob:one.test')).status, 200)
    }
    const { body } = await call('root', 'GET', `${v1}/users/@bob:one.test/joined_rooms`)
    assert.deepEqual(new Set(body['joined_rooms'] as string[]), new Set([shown, own]))
    const hidden = await create('alice', 'private_chat')
    assert.equal((await join(hidden, '@bob:one.test')).status, 403)
  })

  const refusals = [
    ['GET', 'rooms/!none:one.test/members', undefined, 404, 'M_NOT_FOUND'],
    ['GET', 'rooms/!none:one.test/state', undefined, 404, 'M_NOT_FOUND'],
    ['POST', 'join/!none:one.test', {}, 400, 'M_MISSING_PARAM'],
    ['POST', 'join/!none:one.test', { user_id: '@a:two.test' }, 400, 'M_UNKNOWN'],
    ['POST', 'join/!none:one.test', { user_id: '@nobody:one.test' }, 404, 'M_NOT_FOUND'],
    ['POST', 'join/none', { user_id: '@bob:one.test' }, 400, 'M_INVALID_PARAM'],
  ] as const
  for (const [method, path, body, status, errcode] of refusals) {
    test(`is answered ${method} ${path} ${JSON.stringify(body) ?? ''} with ${errcode}`, async () => {
      const answer = await call('root', method, `${v1}/${path}`, body)
      assert.deepEqual([answer.status, answer.body['errcode']], [status, errcode])
    })
  }
})
