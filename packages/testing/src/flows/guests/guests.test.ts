// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { authorRoom } from '../../room-author.ts'
import { testConfig } from '../../runtime.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'
import { path, post, stage } from '../../stages/federated-stage.ts'

const v3 = '/_matrix/client/v3'
type Guest = { readonly userId: string; readonly token: string; readonly deviceId: string }

async function guestOf(server: TestServer): Promise<Guest> {
  const { status, body } = await server.call('POST', `${v3}/register?kind=guest`, { body: {} })
  assert.equal(status, 200)
  return {
    userId: String(body['user_id']),
    token: String(body['access_token']),
    deviceId: String(body['device_id']),
  }
}

const openRoom = (isOpen: boolean) => ({
  preset: 'public_chat' as const,
  initialState: [
    { type: 'm.room.guest_access', stateKey: '', content: { guest_access: isOpen ? 'can_join' : 'forbidden' } },
  ],
})

onEveryDatabase('a guest', (open) => {
  test('has a number as its name, and is refused where the server has no guests', async (t) => {
    const server = await testServer(open)
    const closed = await testServer(open, { registration: { ...testConfig.registration, allowsGuests: false } })
    t.after(() => Promise.all([server.close(), closed.close()]))
    const guest = await guestOf(server)
    assert.match(guest.userId, /^@\d+:one\.test$/)
    const { body } = await server.call('GET', `${v3}/account/whoami`, { token: guest.token })
    assert.deepEqual(body, { user_id: guest.userId, device_id: guest.deviceId, is_guest: true })
    const refused = await closed.call('POST', `${v3}/register?kind=guest`, { body: {} })
    assert.deepEqual([refused.status, refused.body['errcode']], [403, 'M_GUEST_ACCESS_FORBIDDEN'])
  })

  test('may use the endpoints of the spec’s list, and no others', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, guest] = [await server.register('alice'), await guestOf(server)]
    const room = await authorRoom(server.rt, alice.userId, openRoom(true))
    const at = `${v3}/rooms/${encodeURIComponent(room.roomId)}`
    const call = async (method: string, target: string, body?: unknown) => {
      const options = { token: guest.token, ...(body === undefined ? {} : { body }) }
      const { status, body: said } = await server.call(method, target, options)
      return status === 200 ? 200 : said['errcode']
    }
    assert.equal(await call('POST', `${at}/join`, {}), 200)
    const own = `${v3}/profile/${encodeURIComponent(guest.userId)}`
    const allowed = [
      ['PUT', `${at}/send/m.room.message/1`, { msgtype: 'm.text', body: 'hello' }],
      ['PUT', `${at}/send/org.example.any/2`, {}],
      ['GET', `${at}/messages?dir=b`],
      ['GET', `${at}/members`],
      ['GET', `${at}/state`],
      ['GET', `${at}/state/m.room.join_rules/`],
      ['GET', `${at}/initialSync`],
      ['GET', `${v3}/events?timeout=0&room_id=${encodeURIComponent(room.roomId)}`],
      ['GET', `${v3}/sync?timeout=0`],
      ['PUT', `${own}/displayname`, { displayname: 'Guest' }],
      ['GET', `${v3}/devices`],
      ['PUT', `${v3}/devices/${guest.deviceId}`, { display_name: 'browser' }],
      ['PUT', `${v3}/sendToDevice/m.example/1`, { messages: {} }],
      ['POST', `${v3}/keys/upload`, {}],
      ['POST', `${v3}/keys/query`, { device_keys: {} }],
      ['POST', `${v3}/keys/claim`, { one_time_keys: {} }],
      ['DELETE', `${own}/displayname`],
      ['POST', `${at}/leave`, {}],
    ] as const
    for (const [method, target, body] of allowed) assert.equal(await call(method, target, body), 200, target)
    const refused = [
      ['POST', `${v3}/createRoom`, {}],
      ['POST', `${at}/invite`, { user_id: alice.userId }],
      ['POST', `${at}/kick`, { user_id: alice.userId }],
      ['POST', `${at}/ban`, { user_id: alice.userId }],
      ['POST', `${v3}/knock/${encodeURIComponent(room.roomId)}`, {}],
      ['PUT', `${own}/avatar_url`, { avatar_url: 'mxc://one.test/face' }],
      ['PUT', `${v3}/directory/room/%23name:one.test`, { room_id: room.roomId }],
      ['POST', `${v3}/user_directory/search`, { search_term: 'alice' }],
      ['POST', `${v3}/search`, { search_categories: {} }],
      ['POST', `${v3}/account/password`, { new_password: 'other horse' }],
      ['GET', `${v3}/initialSync`],
    ] as const
    for (const [method, target, body] of refused)
      assert.equal(await call(method, target, body), 'M_GUEST_ACCESS_FORBIDDEN', target)
    assert.equal(await call('GET', `${v3}/events?timeout=0`), 'M_MISSING_PARAM')
  })

  test('joins rooms that allow guests only, by every way in', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, guest] = [await server.register('alice'), await guestOf(server)]
    const rooms = [
      await authorRoom(server.rt, alice.userId, openRoom(false)),
      await authorRoom(server.rt, alice.userId, openRoom(true)),
    ]
    for (const [index, { roomId }] of rooms.entries()) {
      const at = `rooms/${encodeURIComponent(roomId)}`
      const ways = [
        ['POST', `${at}/join`, {}],
        ['POST', `join/${encodeURIComponent(roomId)}`, {}],
        ['PUT', `${at}/state/m.room.member/${encodeURIComponent(guest.userId)}`, { membership: 'join' }],
      ] as const
      for (const [method, target, body] of ways) {
        const { status, body: said } = await server.call(method, `${v3}/${target}`, { token: guest.token, body })
        const expected = index === 0 ? [403, 'M_GUEST_ACCESS_FORBIDDEN'] : [200, undefined]
        assert.deepEqual([status, said['errcode']], expected, target)
        if (status === 200) await server.call('POST', `${v3}/${at}/leave`, { token: guest.token, body: {} })
      }
    }
    // An invite does not help.
    const [closed] = rooms
    await closed?.member(alice.userId, guest.userId, 'invite')
    const target = `${v3}/rooms/${encodeURIComponent(closed?.roomId ?? '')}/join`
    assert.equal((await server.call('POST', target, { token: guest.token, body: {} })).status, 403)
  })

  test('leaves a room that no longer allows guests; others stay', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const guests = [await guestOf(server), await guestOf(server)]
    const room = await authorRoom(server.rt, alice.userId, openRoom(true))
    const at = `${v3}/rooms/${encodeURIComponent(room.roomId)}`
    for (const { token } of [bob, ...guests])
      assert.equal((await server.call('POST', `${at}/join`, { token, body: {} })).status, 200)
    const rule = { token: alice.token, body: { guest_access: 'forbidden' } }
    assert.equal((await server.call('PUT', `${at}/state/m.room.guest_access/`, rule)).status, 200)
    await server.workers.owedWork.settled()
    const { body } = await server.call('GET', `${at}/joined_members`, { token: alice.token })
    assert.deepEqual(Object.keys(body['joined'] as object).toSorted(), [alice.userId, bob.userId])
    for (const { userId } of guests) {
      const member = `${at}/state/m.room.member/${encodeURIComponent(userId)}?format=event`
      const event = (await server.call('GET', member, { token: alice.token })).body
      assert.deepEqual([event['sender'], event['content']], [userId, { membership: 'leave' }])
    }
    const again = await server.call('POST', `${at}/join`, { token: guests[0]?.token ?? '', body: {} })
    assert.equal(again.status, 403)
  })

  test('reads world-readable rooms, and joined ones until it leaves', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, guest] = [await server.register('alice'), await guestOf(server)]
    const room = await authorRoom(server.rt, alice.userId, openRoom(true))
    const at = `${v3}/rooms/${encodeURIComponent(room.roomId)}`
    const read = async () => (await server.call('GET', `${at}/messages?dir=b`, { token: guest.token })).status
    assert.equal(await read(), 403)
    await server.call('POST', `${at}/join`, { token: guest.token, body: {} })
    assert.equal(await read(), 200)
    await server.call('POST', `${at}/leave`, { token: guest.token, body: {} })
    assert.equal(await read(), 403)
    await room.send(alice.userId, 'm.room.history_visibility', { history_visibility: 'world_readable' }, '')
    await room.say(alice.userId, 'to all')
    assert.equal(await read(), 200)
  })

  test('becomes an ordinary account with its own token only, and keeps its rooms', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, guest, other] = [await server.register('alice'), await guestOf(server), await guestOf(server)]
    const room = await authorRoom(server.rt, alice.userId, openRoom(true))
    await server.call('POST', `${v3}/join/${encodeURIComponent(room.roomId)}`, { token: guest.token, body: {} })
    const username = guest.userId.slice(1, guest.userId.indexOf(':'))
    const upgrade = (body: object) =>
      server.call('POST', `${v3}/register`, {
        body: { password: 'correct horse', auth: { type: 'm.login.dummy' }, ...body },
      })
    const refusals = [
      [{ username }, 'M_INVALID_USERNAME'],
      [{ username, guest_access_token: other.token }, 'M_FORBIDDEN'],
      [{ username, guest_access_token: alice.token }, 'M_FORBIDDEN'],
      [{ username: 'alice', guest_access_token: guest.token }, 'M_FORBIDDEN'],
      [{ guest_access_token: guest.token }, 'M_MISSING_PARAM'],
    ] as const
    for (const [body, code] of refusals) assert.equal((await upgrade(body)).body['errcode'], code)
    const made = await upgrade({ username, guest_access_token: guest.token })
    assert.deepEqual([made.status, made.body['user_id']], [200, guest.userId])
    const token = String(made.body['access_token'])
    const who = await server.call('GET', `${v3}/account/whoami`, { token })
    assert.equal(who.body['is_guest'], false)
    const rooms = await server.call('GET', `${v3}/joined_rooms`, { token })
    assert.deepEqual(rooms.body, { joined_rooms: [room.roomId] })
    const login = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: username },
      password: 'correct horse',
    }
    assert.equal((await server.call('POST', `${v3}/login`, { body: login })).status, 200)
    assert.notEqual((await upgrade({ username, guest_access_token: guest.token })).status, 200)
  })

  for (const isOpen of [true, false]) {
    test(`${isOpen ? 'joins' : 'does not join'} a room of another server that ${isOpen ? 'allows' : 'forbids'} guests`, async (t) => {
      const content = { guest_access: isOpen ? 'can_join' : 'forbidden' }
      const { network, bob, roomId } = await stage(open, {
        roomOptions: { preset: 'public_chat', initial_state: [{ type: 'm.room.guest_access', content }] },
      })
      t.after(() => network.close())
      const guest = { ...bob, ...(await guestOf(bob.server)) }
      const { status } = await post(guest, `join/${encodeURIComponent(roomId)}?via=one.test`)
      assert.equal(status, isOpen ? 200 : 403)
      if (!isOpen) return
      assert.equal((await post(guest, path(roomId, 'leave'))).status, 200)
    })
  }
})
