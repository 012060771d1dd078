// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { PASSWORD } from '@myelin/testing/clients/encrypted-client'
import { RoomClient } from '@myelin/testing/clients/room-client'
import type { Room } from '@myelin/testing/clients/room-client'
import type { Phone, ShownRoom } from './phone.ts'
import type { Scenario } from './scenarios.ts'
import type { World } from './world.ts'

/** A red pixel. */
const PNG =
  '89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0000003010100c9fe92ef0000000049454e44ae426082'

/** The screens beside the conversation: settings, members, threads, verification. */
export const screens: readonly Scenario[] = [
  {
    name: 'the limits and capabilities of the server are read',
    run: async ({ alice }) => {
      const server = await alice.phone.ask<Record<string, unknown>>('server')
      assert.equal(server['canChangePassword'], true)
      assert.equal(server['profileFields'], true)
    },
  },
  {
    name: 'pictures are uploaded and scaled down',
    run: async ({ alice, room }) => {
      assert.ok((await alice.phone.ask<number>('picture', { png: PNG })) > 0)
      await alice.phone.ask('change_room', { room, picture: '<svg xmlns="http://www.w3.org/2000/svg"/>' })
    },
  },
  {
    name: 'name and topic of a room change on the other phone',
    run: async ({ alice, bob, room }) => {
      await alice.phone.ask('change_room', { room, name: 'High tea', topic: 'at five' })
      await bob.phone.room(room, ({ name, topic }) => name === 'High tea' && topic === 'at five')
    },
  },
  {
    name: 'a permalink shows the messages around an event',
    run: async ({ alice, bob, room }) => {
      const { id } = await alice.phone.reads(room, 'hello alice')
      const texts = await bob.phone.ask<readonly string[]>('permalink', { room, event: id })
      assert.ok(texts.includes('hello alice') && texts.includes('hello bob'), texts.join())
    },
  },
  {
    name: 'the threads of a room are listed with their subscription',
    run: async ({ server, alice, bob, room }) => {
      const { id: root } = await alice.phone.reads(room, 'hello bob')
      // One wrote in the thread, the other was mentioned by that: the SDK subscribes both.
      for (const { phone } of [alice, bob]) {
        await phone.sees('threads', { room }, (threads: readonly object[]) => {
          return JSON.stringify(threads) === JSON.stringify([{ isSubscribed: true, root }])
        })
      }
      const subscriptions = server.log.requests.filter(
        ({ method, path, status }) => method === 'PUT' && path.endsWith('/subscription') && status === 200,
      )
      assert.equal(new Set(subscriptions.map(({ token }) => token)).size, 2)
    },
  },
  {
    name: 'a knock is answered with an invite; the member is promoted, kicked, banned and unbanned',
    run: async ({ alice, bob }) => {
      const room = await alice.phone.ask<string>('create', { name: 'Club' })
      await alice.phone.room(room)
      await alice.phone.ask('change_room', { room, knock: true })
      await bob.phone.ask('knock', { room })
      await bob.phone.room(room, ({ membership }) => membership === 'Knocked')
      await memberIs(alice.phone, room, bob.id, 'knock')
      await alice.phone.ask('invite', { room, user: bob.id })
      await bob.phone.room(room, ({ membership }) => membership === 'Invited')
      await bob.phone.ask('join', { room })
      await alice.phone.room(room, ({ joined }) => joined === 2)
      const act = (way: string) => alice.phone.ask('moderate', { room, user: bob.id, way })
      await act('promote')
      await act('kick')
      await bob.phone.lacks(room)
      await memberIs(alice.phone, room, bob.id, 'leave')
      await act('ban')
      await memberIs(alice.phone, room, bob.id, 'ban')
      await act('unban')
      await memberIs(alice.phone, room, bob.id, 'leave')
    },
  },
  {
    name: 'a newcomer reads the history that is shared with the invite',
    run: async (world) => {
      const { alice } = world
      const room = await alice.phone.ask<string>('create', { name: 'Archive', encrypted: true })
      await alice.phone.room(room)
      await alice.phone.ask('change_room', { room, shared: true })
      await alice.phone.ask('open', { room })
      await alice.phone.ask('send', { room, text: 'long ago' })
      await alice.phone.reads(room, 'long ago')
      const dora = await world.register('dora')
      const phone = await started(world, 'dora')
      await alice.phone.ask('invite', { room, user: dora })
      await phone.room(room, ({ membership }) => membership === 'Invited')
      await phone.ask('join', { room })
      await phone.room(room, ({ membership }) => membership === 'Joined')
      await phone.ask('open', { room })
      await phone.ask('paginate', { room })
      await phone.reads(room, 'long ago')
      await phone.kill()
    },
  },
  {
    name: 'two phones of a user verify each other by emoji',
    run: async (world) => {
      await world.register('erin')
      const first = await started(world, 'erin', 'erin-first')
      const second = await started(world, 'erin', 'erin-second')
      const flow = await second.ask<string>('verify')
      await first.ask('accept', { flow })
      await second.ask('compare', { flow })
      await first.ask('accept_comparison', { flow })
      const [one, other] = [await first.ask('emoji', { flow }), await second.ask('emoji', { flow })]
      assert.deepEqual(one, other)
      await first.ask('confirm', { flow })
      await second.ask('confirm', { flow })
      await second.sees('encryption', {}, ({ verification }: { verification: string }) => verification === 'Verified')
      await first.kill()
      await second.kill()
    },
  },
  {
    name: 'an identity is reset with the password',
    run: async (world) => {
      await world.register('frank')
      const phone = await started(world, 'frank')
      assert.equal(await phone.ask('reset_identity', { password: PASSWORD }), 'password')
      await phone.kill()
    },
  },
  {
    name: 'a list of 130 rooms opens whole, and a message moves its room to the top',
    run: async (world) => {
      const gina = await RoomClient.register(world.server.url, 'gina')
      const rooms: Room[] = []
      for (let index = 0; index < 130; index++) rooms.push(await gina.createRoom({ name: `Room ${index}` }))
      const phone = await world.logIn('gina', 'gina', gina.password)
      await phone.ask('start')
      await phone.sees('rooms', {}, (shown: readonly ShownRoom[]) => {
        return shown.length === rooms.length && shown.every(({ name }) => name.startsWith('Room '))
      })
      const [oldest] = rooms
      assert.ok(oldest)
      await gina.say(oldest, 'old friends')
      await phone.sees('rooms', {}, ([first]: readonly ShownRoom[]) => {
        return first?.id === oldest.id && first.latest === 'old friends'
      })
      await phone.kill()
    },
  },
]

async function started(world: World, name: string, folder = name): Promise<Phone> {
  const phone = await world.logIn(name, folder)
  await phone.ask('start')
  await phone.is('Running')
  return phone
}

async function memberIs(phone: Phone, room: string, user: string, membership: string): Promise<void> {
  await phone.sees('members', { room }, (members: readonly { user: string; membership: string }[]) =>
    members.some((each) => each.user === user && each.membership === membership),
  )
}
