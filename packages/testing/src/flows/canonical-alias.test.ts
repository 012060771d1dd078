// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { onEveryDatabase } from '../databases.ts'
import { create, join, path, stage } from '../stages/federated-stage.ts'
import type { User } from '../stages/federated-stage.ts'

const createAlias = async (who: User, alias: string, roomId: string) => {
  const { status } = await who.server.call('PUT', `/_matrix/client/v3/directory/room/${encodeURIComponent(alias)}`, {
    token: who.token,
    body: { room_id: roomId },
  })
  assert.equal(status, 200)
}

onEveryDatabase('the canonical alias of a room', (open) => {
  test('may be of another server, which is asked what it names', async () => {
    const { network, alice, bob, roomId } = await stage(open)
    assert.equal((await join(bob, roomId)).status, 200)
    await createAlias(bob, '#there:two.test', roomId)
    await createAlias(bob, '#other:two.test', await create(bob, {}))
    const set = async (who: User, body: JsonObject) => {
      const to = `/_matrix/client/v3/${path(roomId, 'state/m.room.canonical_alias/')}`
      const answer = await who.server.call('PUT', to, { token: who.token, body })
      return answer.status === 200 ? 'set' : String(answer.body['errcode'])
    }
    const asked = () => network.crossings.filter(({ target }) => target.includes('/query/directory')).length
    assert.equal(await set(alice, { alias: '#there:two.test' }), 'set')
    assert.equal(asked(), 1)
    // An alias that is already in the event is not looked up again.
    assert.equal(await set(alice, { alias: '#there:two.test', alt_aliases: ['#other:two.test'] }), 'M_BAD_ALIAS')
    assert.equal(await set(alice, { alias: '#gone:two.test' }), 'M_BAD_ALIAS')
    assert.equal(asked(), 3)
    network.partition(['one.test'], ['two.test'])
    assert.equal(await set(alice, { alias: '#else:two.test' }), 'M_BAD_ALIAS')
    assert.equal(await set(alice, { alt_aliases: ['#there:two.test'] }), 'set')
    await network.close()
  })

  test('causes no requests for users who are not in the room', async () => {
    const { network, alice, bob, roomId } = await stage(open)
    assert.equal((await join(bob, roomId)).status, 200)
    const eve = { ...(await alice.server.register('eve')), server: alice.server }
    const answer = await eve.server.call('PUT', `/_matrix/client/v3/${path(roomId, 'state/m.room.canonical_alias/')}`, {
      token: eve.token,
      body: { alias: '#there:two.test' },
    })
    assert.equal(answer.status, 403)
    assert.ok(!network.crossings.some(({ target }) => target.includes('/query/directory')))
    await network.close()
  })
})
