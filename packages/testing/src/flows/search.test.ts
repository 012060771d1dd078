// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../databases.ts'
import { authorRoom } from '../room-author.ts'
import { testServer } from '../server.ts'

onEveryDatabase('a search', (open) => {
  test('finds a message', async () => {
    const server = await testServer(open)
    const alice = await server.register('alice')
    const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
    await room.say(alice.userId, 'Hello martians and men')
    await server.workers.search?.settled()
    const { body } = await server.call('POST', '/_matrix/client/v3/search', {
      token: alice.token,
      body: {
        search_categories: {
          room_events: {
            search_term: 'martian',
            event_context: {},
            include_state: true,
            groupings: { group_by: [{ key: 'room_id' }, { key: 'sender' }] },
          },
        },
      },
    })
    console.log(JSON.stringify(body, null, 1).slice(0, 3000))
    await server.close()
  })
})
