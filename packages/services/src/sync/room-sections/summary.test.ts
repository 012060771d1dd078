// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import { authorRoom } from '@myelin/testing/room-author'
import { testServer } from '@myelin/testing/server'

type Join = Readonly<Record<string, { readonly summary: unknown }>>

onEveryDatabase('the summary of a room', (open) => {
  test('counts members also where the filter hides them, and comes only when it changed', async (t) => {
    const server = await testServer(open)
    t.after(() => server.close())
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat', name: 'The room' })
    const hidden = { not_types: ['m.room.member'] }
    const filter = encodeURIComponent(JSON.stringify({ room: { timeline: hidden, state: hidden } }))
    const sync = async (since: string) => {
      const path = `/_matrix/client/v3/sync?filter=${filter}${since && `&since=${since}`}`
      const { body } = await server.call('GET', path, { token: alice.token })
      const { join } = body['rooms'] as { join: Join }
      return { next: String(body['next_batch']), summary: join[room.roomId]?.summary }
    }
    const first = await sync('')
    await room.member(bob.userId, bob.userId, 'join')
    const second = await sync(first.next)
    assert.deepEqual(second.summary, { 'm.joined_member_count': 2, 'm.invited_member_count': 0 })
    await room.send(alice.userId, 'm.room.topic', { topic: 'summaries' }, '')
    assert.deepEqual((await sync(second.next)).summary, {})
  })
})
