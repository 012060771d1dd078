// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { testConfig } from '../../runtime.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'

const v3 = '/_matrix/client/v3'

const serverWith = (open: Parameters<typeof testServer>[0], autoJoin: Partial<typeof testConfig.autoJoin>) =>
  testServer(open, { autoJoin: { ...testConfig.autoJoin, ...autoJoin } })

async function roomsOf(server: TestServer, token: string): Promise<string[]> {
  const { body } = await server.call('GET', `${v3}/joined_rooms`, { token })
  return body['joined_rooms'] as string[]
}

async function idOf(server: TestServer, alias: string): Promise<string> {
  return String((await server.call('GET', `${v3}/directory/room/${encodeURIComponent(alias)}`)).body['room_id'])
}

onEveryDatabase('a new user', (open) => {
  test('joins the rooms that the server names; the first one makes them', async (t) => {
    const server = await serverWith(open, { rooms: ['#welcome:one.test', '#none:two.test', '#news:one.test'] })
    t.after(() => server.close())
    const alice = await server.register('alice')
    const rooms = [await idOf(server, '#welcome:one.test'), await idOf(server, '#news:one.test')]
    assert.deepEqual((await roomsOf(server, alice.token)).toSorted(), rooms.toSorted())
    const bob = await server.register('bob')
    assert.deepEqual((await roomsOf(server, bob.token)).toSorted(), rooms.toSorted())
    const guest = await server.call('POST', `${v3}/register?kind=guest`, { body: {} })
    assert.equal(guest.status, 200)
    assert.deepEqual(await roomsOf(server, String(guest.body['access_token'])), [])
  })

  test('is invited by the configured user where a room needs it', async (t) => {
    const server = await serverWith(open, {
      rooms: ['#welcome:one.test'],
      preset: 'private_chat',
      localpart: 'system',
      areFederated: false,
    })
    t.after(() => server.close())
    for (const name of ['alice', 'bob']) {
      const { userId, token } = await server.register(name)
      const [roomId = ''] = await roomsOf(server, token)
      const at = `${v3}/rooms/${encodeURIComponent(roomId)}/state`
      const member = `${at}/m.room.member/${encodeURIComponent(userId)}?format=event`
      const joined = (await server.call('GET', member, { token })).body
      const before = (joined['unsigned'] as Record<string, unknown>)['prev_sender']
      assert.deepEqual([joined['sender'], before], [userId, '@system:one.test'])
      const create = (await server.call('GET', `${at}/m.room.create/?format=event`, { token })).body
      const { 'm.federate': isFederated } = create['content'] as Record<string, unknown>
      assert.deepEqual([create['sender'], isFederated], ['@system:one.test', false])
    }
  })

  test('finds no room that no user has made, where rooms are not made', async (t) => {
    const server = await serverWith(open, { rooms: ['#welcome:one.test'], createsRooms: false })
    t.after(() => server.close())
    assert.deepEqual(await roomsOf(server, (await server.register('alice')).token), [])
  })
})
