// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testServer } from '@myelin/testing/server'
import { storedReports } from '@myelin/testing/stored-rows'

const V3 = '/_matrix/client/v3'
const name = encodeURIComponent

onEveryDatabase('reports', (open) => {
  test('are stored for the admins, for what exists and is visible to the reporter only', async () => {
    const server = await testServer(open)
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const post = async (path: string, token: string, body: object = { reason: 'why' }) =>
      server.call('POST', `${V3}/${path}`, { token, body })
    const room = String((await post('createRoom', alice.token, { preset: 'public_chat' })).body['room_id'])
    const content = { msgtype: 'm.text', body: 'bad' }
    const sent = await server.call('PUT', `${V3}/rooms/${name(room)}/send/m.room.message/1`, {
      token: alice.token,
      body: content,
    })
    const event = String(sent.body['event_id'])
    const refusals: [string, string, object | undefined, string][] = [
      [`rooms/${name(room)}/report/${name(event)}`, bob.token, undefined, '404 M_NOT_FOUND'],
      [`rooms/${name(room)}/report/$none`, alice.token, undefined, '404 M_NOT_FOUND'],
      [`rooms/!none:x/report/${name(event)}`, alice.token, undefined, '404 M_NOT_FOUND'],
      [`rooms/!none:x/report`, alice.token, undefined, '404 M_NOT_FOUND'],
      [`rooms/${name(room)}/report`, alice.token, {}, '400 M_MISSING_PARAM'],
      [`users/${name(`@none:${server.name}`)}/report`, alice.token, undefined, '404 M_NOT_FOUND'],
      [`users/${name('@none:elsewhere.test')}/report`, alice.token, undefined, '404 M_NOT_FOUND'],
      [`users/${name(alice.userId)}/report`, alice.token, { reason: 5 }, '400 M_BAD_JSON'],
      [`users/${name(alice.userId)}/report`, alice.token, { reason: 'x'.repeat(20_000) }, '413 M_TOO_LARGE'],
    ]
    for (const [path, token, body, code] of refusals) {
      const answer = await post(path, token, body)
      assert.equal(`${answer.status} ${String(answer.body['errcode'])}`, code, path)
    }
    assert.deepEqual(await storedReports(server.rt.db.read), [])
    for (const [path, body] of [
      [`rooms/${name(room)}/report`, { reason: '' }],
      [`users/${name(alice.userId)}/report`, { reason: 'rude' }],
    ] as const)
      assert.equal((await post(path, bob.token, body)).status, 200, path)
    await post(`rooms/${name(room)}/join`, bob.token, {})
    assert.equal((await post(`rooms/${name(room)}/report/${name(event)}`, bob.token, {})).status, 200)
    const kept = await storedReports(server.rt.db.read)
    assert.deepEqual(kept, [
      { reporter: bob.userId, room_id: room, event_id: '', target: '', reason: '' },
      { reporter: bob.userId, room_id: '', event_id: '', target: alice.userId, reason: 'rude' },
      { reporter: bob.userId, room_id: room, event_id: event, target: '', reason: '' },
    ])
    await server.close()
  })
})
