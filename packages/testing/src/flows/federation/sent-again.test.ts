// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { authorRoom } from '../../room-author.ts'
import { testConfig } from '../../runtime.ts'
import { testServer } from '../../server.ts'

const message = { msgtype: 'm.text', body: 'hello' }

onEveryDatabase('a transaction id', (open) => {
  test('names one request: another room, type or redacted event is another', async () => {
    const server = await testServer(open)
    const alice = await server.register('alice')
    const [one, two] = [await authorRoom(server.rt, alice.userId, {}), await authorRoom(server.rt, alice.userId, {})]
    const put = async (roomId: string, what: string, body: object) => {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${what}/same`
      const answer = await server.call('PUT', path, { token: alice.token, body })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return String(answer.body['event_id'])
    }
    const asks = [
      () => put(one.roomId, 'send/m.room.message', message),
      () => put(two.roomId, 'send/m.room.message', message),
      () => put(one.roomId, 'send/org.example.other', {}),
    ]
    const first: string[] = []
    for (const ask of asks) first.push(await ask())
    const redactions = first.filter((_, index) => index !== 1)
    for (const id of redactions) first.push(await put(one.roomId, `redact/${encodeURIComponent(id)}`, {}))
    const again: string[] = []
    for (const ask of asks) again.push(await ask())
    for (const id of redactions) again.push(await put(one.roomId, `redact/${encodeURIComponent(id)}`, {}))
    assert.deepEqual(again, first)
    assert.equal(new Set(first).size, 5)
    await server.close()
  })

  test('is answered again where its sender may send no more for now', async () => {
    const rateLimits = { ...testConfig.rateLimits, message: { perSecond: 0.001, burstCount: 1 } }
    const server = await testServer(open, { rateLimits })
    const alice = await server.register('alice')
    const { roomId } = await authorRoom(server.rt, alice.userId, {})
    const send = (txnId: string) => {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${txnId}`
      return server.call('PUT', path, { token: alice.token, body: message })
    }
    const first = await send('one')
    assert.equal(first.status, 200)
    const other = await send('two')
    assert.deepEqual([other.status, other.body['errcode']], [429, 'M_LIMIT_EXCEEDED'])
    const again = await send('one')
    assert.deepEqual([again.status, again.body], [200, first.body])
    await server.close()
  })
})
