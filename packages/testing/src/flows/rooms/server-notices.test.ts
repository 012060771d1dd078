// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { onEveryDatabase } from '../../databases.ts'
import { testServer } from '../../server.ts'

const v3 = '/_matrix/client/v3'
const SEND = '/_synapse/admin/v1/send_server_notice'
const SETTINGS = {
  localpart: 'notices',
  displayName: 'Notices',
  avatarUrl: undefined,
  roomName: 'News of the server',
  roomAvatarUrl: undefined,
  roomTopic: undefined,
  joinsUsers: false,
}

async function scene(open: Parameters<typeof testServer>[0], settings: Partial<typeof SETTINGS> | undefined) {
  const server = await testServer(open, { serverNotices: settings && { ...SETTINGS, ...settings } })
  const [admin, bob] = [await server.register('admin'), await server.register('bob')]
  await server.rt.db.write(async (tx) => {
    const change = tx.updateTable('accounts').set({ is_admin: 1 })
    await change.where('user_id', '=', admin.userId as UserId).execute()
    tx.touch(`account ${admin.userId}`)
  })
  const notice = { user_id: bob.userId, content: { msgtype: 'm.text', body: 'tea at five' } }
  const send = async (body: object = notice, token = admin.token, txnId?: string) => {
    const [method, path] = txnId === undefined ? ['POST', SEND] : ['PUT', `${SEND}/${txnId}`]
    return server.call(method, path, { token, body })
  }
  return { server, admin, bob, notice, send }
}

onEveryDatabase('a server notice', (open) => {
  test('comes in a room of its own, tagged, that the user cannot leave; further ones in the same', async (t) => {
    const { server, bob, send } = await scene(open, {})
    t.after(() => server.close())
    assert.equal((await send()).status, 200)
    const sync = async (query = '') =>
      (await server.call('GET', `${v3}/sync?timeout=0${query}`, { token: bob.token })).body['rooms'] as Record<
        string,
        object
      >
    const [roomId = ''] = Object.keys((await sync())['invite'] ?? {})
    const at = `${v3}/rooms/${encodeURIComponent(roomId)}`
    const call = (method: string, path: string, body?: object) =>
      server.call(method, path, { token: bob.token, ...(body ? { body } : {}) })
    assert.equal((await call('POST', `${at}/leave`, {})).body['errcode'], 'M_CANNOT_LEAVE_SERVER_NOTICE_ROOM')
    assert.equal((await call('POST', `${at}/join`, {})).status, 200)
    const tags = await call(
      'GET',
      `${v3}/user/${encodeURIComponent(bob.userId)}/rooms/${encodeURIComponent(roomId)}/tags`,
    )
    assert.deepEqual(tags.body, { tags: { 'm.server_notice': {} } })
    assert.deepEqual((await call('GET', `${at}/state/m.room.name/`)).body, { name: 'News of the server' })
    const said = (await call('GET', `${at}/messages?dir=b&limit=20`)).body['chunk'] as Record<string, object>[]
    const first = said.find(({ type }) => (type as unknown) === 'm.room.message')
    assert.deepEqual(
      [first?.['sender'], first?.['content']],
      ['@notices:one.test', { msgtype: 'm.text', body: 'tea at five' }],
    )
    // The user may only read.
    const own = await call('PUT', `${at}/send/m.room.message/1`, { msgtype: 'm.text', body: 'thanks' })
    assert.equal(own.body['errcode'], 'M_FORBIDDEN')
    assert.equal((await call('POST', `${at}/leave`, {})).body['errcode'], 'M_CANNOT_LEAVE_SERVER_NOTICE_ROOM')
    await send()
    const messages = (await call('GET', `${at}/messages?dir=b&limit=1`)).body['chunk'] as Record<string, object>[]
    assert.deepEqual(messages[0]?.['content'], { msgtype: 'm.text', body: 'tea at five' })
    assert.deepEqual((await call('GET', `${v3}/joined_rooms`)).body, { joined_rooms: [roomId] })
  })

  test('is sent once for each transaction, and joins users where it is so configured', async (t) => {
    const { server, bob, notice, send } = await scene(open, { joinsUsers: true })
    t.after(() => server.close())
    const ids = [
      await send(notice, undefined, 'a'),
      await send(notice, undefined, 'a'),
      await send(notice, undefined, 'b'),
    ]
    const [first, again, second] = ids.map(({ body }) => body['event_id'])
    assert.equal(first, again)
    assert.notEqual(first, second)
    const { body } = await server.call('GET', `${v3}/joined_rooms`, { token: bob.token })
    assert.equal((body['joined_rooms'] as string[]).length, 1)
  })

  test('is refused to others than admins, for others than local users, and where there are none', async (t) => {
    const { server, bob, notice, send } = await scene(open, {})
    const off = await scene(open, undefined)
    t.after(() => Promise.all([server.close(), off.server.close()]))
    const cases = [
      [await send(notice, bob.token), 403, 'M_FORBIDDEN'],
      [await send({ ...notice, user_id: '@bob:two.test' }), 400, 'M_UNKNOWN'],
      [await send({ ...notice, user_id: '@nobody:one.test' }), 404, 'M_NOT_FOUND'],
      [await send({ user_id: bob.userId }), 400, 'M_MISSING_PARAM'],
      [await off.send(), 400, 'M_UNKNOWN'],
    ] as const
    for (const [answer, status, code] of cases)
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    const { body } = await server.call('GET', `${v3}/sync?timeout=0`, { token: bob.token })
    assert.deepEqual((body['rooms'] as Record<string, object> | undefined)?.['invite'] ?? {}, {})
  })
})
