// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { newDevice, reads, say, until as untilClient } from '@myelin/testing/clients/encrypted-client'
import { until } from '@myelin/testing/clients/room-client'
import { ClientEvent } from 'matrix-js-sdk'
import type { LoggedRequest } from './request-log.ts'
import type { ShownEvent, ShownRoom } from './phone.ts'
import type { Scenario } from './scenarios.ts'
import type { World } from './world.ts'

const SLIDING = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync'

/** New devices, other clients, and clients and servers that end without warning. */
export const restarts: readonly Scenario[] = [
  {
    name: 'a second phone is confirmed by the recovery key and reads the history',
    run: async (world) => {
      const { alice, bob, room } = world
      const key = await alice.phone.ask<string>('enable_recovery')
      const second = await world.logIn('alice', 'alice-second')
      await second.ask('start')
      await second.is('Running')
      await second.ask('recover', { key })
      await second.sees('encryption', {}, (state: { verification: string; backup: string }) => {
        return state.verification === 'Verified' && state.backup === 'Enabled'
      })
      await second.room(room)
      await second.ask('open', { room })
      await until('the start of the room', () => second.ask<boolean>('paginate', { room }))
      await second.reads(room, 'hello bob')
      await second.ask('send', { room, text: 'from my other phone' })
      await bob.phone.reads(room, 'from my other phone')
      await second.ask('logout')
      await second.kill()
    },
  },
  {
    name: 'a client of /sync (matrix-js-sdk) talks with a phone',
    run: async (world) => {
      const { alice, room } = world
      const carol = await world.register('carol')
      const client = await newDevice(world.server, 'carol')
      try {
        await alice.phone.ask('invite', { room, user: carol })
        await untilClient(client, ClientEvent.Sync, () => client.getRoom(room)?.getMyMembership() === 'invite')
        await client.joinRoom(room)
        await alice.phone.room(room, ({ joined }) => joined === 3)
        await alice.phone.ask('send', { room, text: 'welcome carol' })
        await reads(client, room, 'welcome carol')
        await say(client, room, 'thank you')
        await alice.phone.reads(room, 'thank you', ({ isEncrypted }) => isEncrypted)
        await client.leave(room)
        await alice.phone.room(room, ({ joined }) => joined === 2)
      } finally {
        client.stopClient()
      }
    },
  },
  {
    name: 'a phone that was killed goes on at its stored pos',
    run: async (world) => {
      const { alice, bob, room } = world
      await world.tells(alice, bob, 'good night')
      await bob.phone.kill()
      await alice.phone.ask('send', { room, text: 'while you slept' })
      await alice.phone.reads(room, 'while you slept')
      const before = world.server.log.requests.length
      const answered = new Set(slidingSyncs(world, 0).map(({ answer }) => answer['pos']))
      await bob.phone.reopen()
      await bob.phone.is('Running')
      await bob.phone.room(room, ({ latest }) => latest === 'while you slept')
      await bob.phone.ask('open', { room })
      await bob.phone.reads(room, 'while you slept')
      const first = slidingSyncs(world, before).find(
        ({ body, token }) => body['conn_id'] === 'room-list' && token === bob.phone.authorization,
      )
      assert.ok(first)
      assert.equal(first.status, 200)
      assert.ok(answered.has(first.query.get('pos') ?? ''), `pos ${first.query.get('pos')} is not a stored one`)
      await world.tells(bob, alice, 'good morning')
    },
  },
  {
    name: 'rooms joined, left and invited to while a phone was closed are right when it opens',
    run: async (world) => {
      const { alice, bob, room } = world
      const kicked = await alice.phone.ask<string>('create', { name: 'Kicked from', invite: [bob.id] })
      await bob.phone.room(kicked)
      await bob.phone.ask('join', { room: kicked })
      await alice.phone.room(kicked, ({ joined }) => joined === 2)
      await bob.phone.kill()
      await alice.phone.ask('moderate', { room: kicked, user: bob.id, way: 'kick' })
      const invited = await alice.phone.ask<string>('create', { name: 'Invited to', invite: [bob.id] })
      await bob.phone.reopen()
      await bob.phone.room(invited, ({ membership, name }) => membership === 'Invited' && name === 'Invited to')
      await bob.phone.lacks(kicked)
      await bob.phone.ask('leave', { room: invited })
      await bob.phone.lacks(invited)
      await bob.phone.ask('open', { room })
      await world.tells(alice, bob, 'back again')
      const [first] = await bob.phone.ask<readonly ShownRoom[]>('rooms')
      assert.equal(first?.id, room, 'the room with the latest message is not the first')
    },
  },
  {
    name: 'phones survive M_UNKNOWN_POS',
    run: async (world) => {
      const { server, alice, bob, room } = world
      const before = server.log.requests.length
      await server.stop()
      await server.forgetConnections()
      await server.start()
      await until(
        'M_UNKNOWN_POS for both phones',
        // A phone that gets it on one connection begins both anew.
        async () => {
          const refused = slidingSyncs(world, before).filter(({ answer }) => answer['errcode'] === 'M_UNKNOWN_POS')
          return new Set(refused.map(({ token }) => token)).size === 2
        },
        60_000,
      )
      for (const { phone } of [alice, bob]) {
        await phone.ask('start')
        await phone.is('Running')
        // The SDK drops its room subscriptions with the position.
        await phone.ask('open', { room })
      }
      await world.tells(alice, bob, 'after the forgetting')
      await world.tells(bob, alice, 'I remember')
    },
  },
  {
    name: 'a server that is killed in the middle loses and doubles nothing',
    run: async (world) => {
      const { server, alice, bob, room } = world
      const texts = Array.from({ length: 12 }, (_, index) => `through the storm ${index}`)
      for (const [index, text] of texts.entries()) {
        if (index === 6) await server.kill()
        await alice.phone.ask('send', { room, text })
      }
      await server.start()
      for (const { phone } of [alice, bob]) await phone.is('Running')
      for (const text of texts) await bob.phone.reads(room, text)
      const seen = (await bob.phone.ask<readonly ShownEvent[]>('timeline', { room })).map(({ body }) => body)
      assert.deepEqual(
        seen.filter((body) => body.startsWith('through the storm')),
        texts,
      )
      await world.tells(bob, alice, 'you are loud and clear')
    },
  },
  {
    name: 'a phone and the server are killed together',
    run: async (world) => {
      const { server, alice, bob, room } = world
      await Promise.all([bob.phone.kill(), server.kill()])
      await server.start()
      await bob.phone.reopen()
      for (const { phone } of [alice, bob]) await phone.is('Running')
      await bob.phone.ask('open', { room })
      await world.tells(alice, bob, 'still there?')
      await world.tells(bob, alice, 'still here')
    },
  },
]

function slidingSyncs(world: World, from: number): readonly LoggedRequest[] {
  return world.server.log.requests.slice(from).filter(({ path }) => path === SLIDING)
}
