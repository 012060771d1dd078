// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../databases.ts'
import { authorRoom } from '../room-author.ts'
import { testServer } from '../server.ts'

// The event that removes bob, the last message that he sees, and whether he may read at all.
const LIVES = {
  'who left': { steps: ['join', 'leave'], sees: 'inside' },
  'who left and was banned': { steps: ['join', 'leave', 'ban'], sees: 'inside' },
  'who was banned and let off': { steps: ['join', 'ban', 'unban'], sees: 'inside' },
  'who left and turned an invite down': { steps: ['join', 'leave', 'invite', 'leave'], sees: 'inside' },
  'who turned an invite down': { steps: ['invite', 'leave'], sees: undefined },
  'who turned an invite down and was banned': { steps: ['invite', 'leave', 'ban'], sees: undefined },
  'who was banned before they came': { steps: ['ban'], sees: undefined },
} as const

onEveryDatabase('a room', (open) => {
  for (const [name, { steps, sees }] of Object.entries(LIVES)) {
    test(`shows a user ${name} ${sees === undefined ? 'nothing' : 'the history until they left'}`, async () => {
      const server = await testServer(open)
      const [alice, bob] = [await server.register('alice'), await server.register('bob')]
      const room = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
      for (const step of steps) {
        const own = step === 'join' || step === 'leave'
        await room.member(own ? bob.userId : alice.userId, bob.userId, step === 'unban' ? 'leave' : step)
        await room.say(alice.userId, step === 'join' ? 'inside' : 'outside')
      }
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}`
      const [messages, state] = [
        await server.call('GET', `${path}/messages?dir=b&limit=50`, { token: bob.token }),
        await server.call('GET', `${path}/state/m.room.member/${encodeURIComponent(bob.userId)}`, { token: bob.token }),
      ]
      assert.deepEqual([messages.status, state.status], sees === undefined ? [403, 403] : [200, 200])
      if (sees !== undefined) {
        const chunk = messages.body['chunk'] as { content: { body?: string } }[]
        assert.deepEqual(
          chunk.flatMap(({ content }) => content.body ?? []),
          ['inside'],
        )
      }
      await server.close()
    })
  }

  for (const [offer, end] of [
    ['invite', 'leave'],
    ['invite', 'ban'],
    ['knock', 'leave'],
    ['ban', 'leave'],
  ] as const) {
    test(`shows a user that ${offer} ended in ${end}, and nothing else of it`, async () => {
      const server = await testServer(open)
      const [alice, bob] = [await server.register('alice'), await server.register('bob')]
      const initialState = [{ type: 'm.room.join_rules', stateKey: '', content: { join_rule: 'knock' } }]
      const room = await authorRoom(server.rt, alice.userId, { initialState })
      await room.member(offer === 'knock' ? bob.userId : alice.userId, bob.userId, offer)
      const sync = async (since = '') =>
        (await server.call('GET', `/_matrix/client/v3/sync?timeout=0${since}`, { token: bob.token })).body
      const since = `&since=${String((await sync())['next_batch'])}`
      await room.say(alice.userId, 'outside')
      const ended = await room.member(alice.userId, bob.userId, end)
      const rooms = (await sync(since))['rooms'] as {
        leave: Record<string, { timeline: { events: { event_id: string }[]; limited: boolean }; state: object }>
      }
      const left = rooms.leave[room.roomId]
      assert.deepEqual(
        left?.timeline.events.map(({ event_id: id }) => id),
        [ended],
      )
      assert.deepEqual([left?.timeline.limited, left?.state], [false, { events: [] }])
      await server.close()
    })
  }
})
