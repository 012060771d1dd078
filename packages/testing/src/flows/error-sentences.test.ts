// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../databases.ts'
import { testServer } from '../server.ts'
import type { Answer } from '../server.ts'

const said = ({ status, body }: Answer) => [status, body['errcode'], body['error']]

// Clients, bots and bridges compare these: docs/compatibility.md lists them with their sources.
onEveryDatabase('a refusal that programs compare', (open) => {
  test('has the status, code and sentence that they match', async () => {
    const server = await testServer(open)
    const [alice, bob, carol] = [
      await server.register('alice'),
      await server.register('bob'),
      await server.register('carol'),
    ]
    const post = (who: typeof alice, path: string, body: object = {}) =>
      server.call('POST', `/_matrix/client/v3/${path}`, { token: who.token, body })
    const create = async (body: object) => String((await post(alice, 'createRoom', body)).body['room_id'])
    const room = await create({ preset: 'public_chat' })
    const closed = await create({ preset: 'private_chat' })
    const at = (roomId: string, rest: string) => `rooms/${encodeURIComponent(roomId)}/${rest}`
    const send = (who: typeof alice, path: string, body: object) =>
      server.call('PUT', `/_matrix/client/v3/${path}`, { token: who.token, body })
    await post(bob, `join/${encodeURIComponent(room)}`)
    await post(alice, at(room, 'ban'), { user_id: carol.userId })

    const invited = said(await post(alice, at(room, 'invite'), { user_id: bob.userId }))
    assert.deepEqual(invited, [403, 'M_FORBIDDEN', `${bob.userId} is already in the room.`])
    const banned = said(await post(alice, at(room, 'invite'), { user_id: carol.userId }))
    assert.deepEqual(banned, [403, 'M_BAD_STATE', 'Cannot invite user who was banned'])
    const joined = said(await post(carol, `join/${encodeURIComponent(room)}`))
    assert.deepEqual(joined, [403, 'M_BAD_STATE', 'Cannot join user who was banned'])
    const uninvited = said(await post(bob, `join/${encodeURIComponent(closed)}`))
    assert.deepEqual(uninvited, [403, 'M_FORBIDDEN', 'You are not invited to this room.'])
    const knocked = said(await post(bob, `knock/${encodeURIComponent(closed)}`))
    assert.deepEqual(knocked, [403, 'M_FORBIDDEN', "You don't have permission to knock"])
    const left = said(await post(bob, at(closed, 'leave')))
    assert.deepEqual(left, [403, 'M_FORBIDDEN', `User ${bob.userId} not in room`])
    const unknown = said(await post(bob, at('!nowhere:two.test', 'leave')))
    assert.deepEqual(unknown, [404, 'M_UNKNOWN', 'Not a known room'])
    const nowhere = said(await post(bob, `join/${encodeURIComponent(`!${'n'.repeat(43)}`)}`))
    const noVia = "Can't join remote room because no servers that are in the room have been provided."
    assert.deepEqual(nowhere, [404, 'M_UNKNOWN', noVia])
    const weak = said(await send(bob, at(room, 'state/m.room.topic/'), { topic: 'mine' }))
    const tooWeak = "You don't have permission to post that to the room. user_level (0) < send_level (50)"
    assert.deepEqual(weak, [403, 'M_FORBIDDEN', tooWeak])
    const read = (path: string) => server.call('GET', `/_matrix/client/v3/${path}`, { token: bob.token })
    const absent = said(await read(at(room, `event/$${'n'.repeat(43)}`)))
    assert.deepEqual(absent, [404, 'M_NOT_FOUND', 'Event not found.'])
    const unset = said(await read(`user/${bob.userId}/${at(room, 'account_data/m.test')}`))
    assert.deepEqual(unset, [404, 'M_NOT_FOUND', 'Room account data not found'])
    const unbanned = said(await post(alice, at(room, 'unban'), { user_id: bob.userId }))
    assert.deepEqual(unbanned, [403, 'M_BAD_STATE', 'Cannot unban user who was not banned (membership=join)'])
    await server.close()
  })

  test('names the old and the new key where a one-time key already exists', async () => {
    const server = await testServer(open)
    const { token } = await server.register('alice')
    const upload = (key: string) => {
      const signed = { key, signatures: { '@alice:one.test': { 'ed25519:PHONE': `signature of ${key}` } } }
      const body = { one_time_keys: { 'signed_curve25519:AAAAAQ': signed } }
      return server.call('POST', '/_matrix/client/v3/keys/upload', { token, body })
    }
    assert.equal((await upload('old')).status, 200)
    assert.equal((await upload('old')).status, 200, 'the same key again')
    const json = (key: string) =>
      `{"key":"${key}","signatures":{"@alice:one.test":{"ed25519:PHONE":"signature of ${key}"}}}`
    const sentence = `One time key signed_curve25519:AAAAAQ already exists. Old key: ${json('old')}; new key: ${json('new')}`
    assert.deepEqual(said(await upload('new')), [400, 'M_UNKNOWN', sentence])
    await server.close()
  })
})
