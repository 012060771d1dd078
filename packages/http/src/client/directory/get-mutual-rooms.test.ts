// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import { authorRoom } from '@myelin/testing/room-author'
import { testServer } from '@myelin/testing/server'

const path = (user: string, more = '') => `/_matrix/client/v1/mutual_rooms?user_id=${encodeURIComponent(user)}${more}`

onEveryDatabase('the mutual rooms of two users', (open) => {
  test('are the rooms both have joined, in pages', async () => {
    const server = await testServer(open)
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const shared: string[] = []
    for (let index = 0; index < 104; index++) {
      const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
      if (index === 0) continue
      await room.member(index === 1 ? alice.userId : bob.userId, bob.userId, index === 1 ? 'invite' : 'join')
      if (index === 2) await room.member(bob.userId, bob.userId, 'leave')
      if (index > 2) shared.push(room.roomId)
    }
    const ask = async (more = '') => {
      const { status, body } = await server.call('GET', path(bob.userId, more), { token: alice.token })
      assert.equal(status, 200)
      return body as { joined: string[]; count: number; next_batch?: string }
    }
    const first = await ask()
    assert.deepEqual([first.joined.length, first.count], [100, 101])
    const second = await ask(`&from=${encodeURIComponent(first.next_batch ?? '')}`)
    assert.deepEqual([second.joined.length, second.count, second.next_batch], [1, 101, undefined])
    assert.deepEqual([...first.joined, ...second.joined].toSorted(), shared.toSorted())
    await server.close()
  })

  test('are none with unknown users, and refused for invalid ids and the own one', async () => {
    const server = await testServer(open)
    const alice = await server.register('alice')
    const ask = async (url: string) => {
      const { status, body } = await server.call('GET', url, { token: alice.token })
      return status === 200 ? body : [status, body['errcode']]
    }
    assert.deepEqual(await ask(path('@nobody:elsewhere.test')), { joined: [], count: 0 })
    assert.deepEqual(await ask(path(alice.userId)), [400, 'M_INVALID_PARAM'])
    assert.deepEqual(await ask(path('nobody')), [400, 'M_INVALID_PARAM'])
    assert.deepEqual(await ask('/_matrix/client/v1/mutual_rooms'), [400, 'M_MISSING_PARAM'])
    assert.deepEqual(await ask(path('@nobody:elsewhere.test', '&from=x')), [400, 'M_INVALID_PARAM'])
    await server.close()
  })
})
