// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { World } from './world.ts'

/** Something that the two phones do, in the order of the list: later ones use the rooms of earlier ones. */
export interface Scenario {
  readonly name: string
  readonly run: (world: World) => Promise<void>
}

/** The scenarios of Element X on a server that works. */
export const scenarios: readonly Scenario[] = [
  {
    name: 'two users log in by password, and their room lists open',
    run: async (world) => {
      const person = async (name: string) => ({ name, id: await world.register(name), phone: await world.logIn(name) })
      world.alice = await person('alice')
      world.bob = await person('bob')
      for (const { phone } of [world.alice, world.bob]) {
        await phone.ask('start')
        await phone.is('Running')
      }
    },
  },
  {
    name: 'an invite to an encrypted room arrives and is accepted',
    run: async (world) => {
      const { alice, bob } = world
      const room = await alice.phone.ask<string>('create', { name: 'Tea', encrypted: true, invite: [bob.id] })
      world.room = room
      // The SDK lists the room a moment before it has read the invite's state.
      await bob.phone.room(room, ({ membership, name, inviter }) => {
        return membership === 'Invited' && name === 'Tea' && inviter === alice.id
      })
      await bob.phone.ask('join', { room })
      await bob.phone.room(room, (each) => each.membership === 'Joined' && each.isEncrypted)
      await alice.phone.room(room, ({ joined }) => joined === 2)
    },
  },
  {
    name: 'encrypted messages go both ways',
    run: async (world) => {
      const { alice, bob, room } = world
      for (const { phone } of [alice, bob]) await phone.ask('open', { room })
      await world.tells(alice, bob, 'hello bob')
      await world.tells(bob, alice, 'hello alice')
      await alice.phone.reads(room, 'hello alice', ({ isEncrypted }) => isEncrypted)
      await alice.phone.room(room, ({ latest }) => latest === 'hello alice')
    },
  },
  {
    name: 'typing starts and ends',
    run: async ({ alice, bob, room }) => {
      await alice.phone.ask('type', { room, on: true })
      await bob.phone.seesTyping(room, alice.id)
      await alice.phone.ask('type', { room, on: false })
      await bob.phone.seesTyping(room)
    },
  },
  {
    name: 'unread counts rise and fall, and a read receipt arrives',
    run: async (world) => {
      const { alice, bob, room } = world
      await alice.phone.ask('send', { room, text: 'a mention', mention: bob.id })
      await bob.phone.room(room, ({ unread, mentions }) => unread > 0 && mentions === 1)
      await bob.phone.ask('read', { room })
      await alice.phone.reads(room, 'a mention', ({ readers }) => readers.includes(bob.id))
      await bob.phone.room(room, ({ unread, mentions }) => unread === 0 && mentions === 0)
    },
  },
  {
    name: 'a private read receipt stays private and clears the counts',
    run: async (world) => {
      const { alice, bob, room } = world
      await world.tells(alice, bob, 'between us')
      await bob.phone.room(room, ({ unread }) => unread > 0)
      await bob.phone.ask('read', { room, private: true })
      await bob.phone.room(room, ({ unread }) => unread === 0)
      await world.tells(bob, alice, 'seen')
      const event = await alice.phone.reads(room, 'between us')
      assert.equal(event.readers.includes(bob.id), false)
    },
  },
  {
    name: 'reply, edit, reaction, redaction and pin arrive',
    run: async (world) => {
      const { alice, bob, room } = world
      await bob.phone.ask('reply', { room, to: 'hello bob', text: 'a reply' })
      await alice.phone.reads(room, 'a reply')
      await bob.phone.ask('edit', { room, message: 'a reply', text: 'a better reply' })
      await alice.phone.reads(room, 'a better reply', ({ isEdited }) => isEdited)
      await alice.phone.ask('react', { room, message: 'a better reply', key: '👍' })
      await bob.phone.reads(room, 'a better reply', ({ reactions }) => reactions['👍']?.[0] === alice.id)
      await alice.phone.ask('react', { room, message: 'a better reply', key: '👍' })
      await bob.phone.reads(room, 'a better reply', ({ reactions }) => reactions['👍'] === undefined)
      await bob.phone.ask('redact', { room, message: 'a better reply' })
      await alice.phone.reads(room, '[redacted]')
      await alice.phone.ask('pin', { room, message: 'hello bob' })
      await bob.phone.room(room, ({ pinned }) => pinned?.length === 1)
    },
  },
  {
    name: 'a thread is answered, counted and subscribed to',
    run: async ({ alice, bob, room }) => {
      await bob.phone.ask('reply', { room, to: 'hello bob', text: 'in a thread', thread: true })
      await alice.phone.reads(room, 'in a thread', ({ thread }) => thread !== null)
      await alice.phone.reads(room, 'hello bob', ({ replies }) => replies === 1)
    },
  },
  {
    name: 'an encrypted file is sent and fetched',
    run: async ({ alice, bob, room }) => {
      await alice.phone.ask('attach', { room, file: 'poem.txt', text: 'Roses are red' })
      await bob.phone.reads(room, 'poem.txt')
      assert.equal(await bob.phone.ask('fetch', { room, file: 'poem.txt' }), 'Roses are red')
    },
  },
  {
    name: 'a push handler finds and decrypts the event, with and without a running sync',
    run: async (world) => {
      const { alice, bob, room } = world
      await world.tells(alice, bob, 'ring ring')
      const { id } = await bob.phone.reads(room, 'ring ring')
      const running = await bob.phone.ask<{ text: string; joined: number }>('notification', { room, event: id })
      assert.deepEqual([running.text, running.joined], ['ring ring', 2])
      await bob.phone.ask('stop')
      await alice.phone.ask('send', { room, text: 'ring again' })
      const later = await alice.phone.reads(room, 'ring again')
      const stopped = await bob.phone.ask<{ text: string }>('notification', { room, event: later.id })
      assert.equal(stopped.text, 'ring again')
      await bob.phone.ask('start')
      await bob.phone.reads(room, 'ring again')
    },
  },
  {
    name: 'a pusher is set',
    run: async ({ bob }) => {
      await bob.phone.ask('pusher', { url: 'https://push.example.org/_matrix/push/v1/notify' })
    },
  },
  {
    name: 'favourite, unread mark and notification mode reach the room list',
    run: async ({ bob, room }) => {
      await bob.phone.ask('mark', { room, mark: 'favourite', on: true })
      await bob.phone.ask('mark', { room, mark: 'unread', on: true })
      await bob.phone.room(room, (each) => each.isFavourite && each.isMarkedUnread)
      await bob.phone.ask('mark', { room, mark: 'favourite', on: false })
      await bob.phone.ask('mark', { room, mark: 'unread', on: false })
      await bob.phone.room(room, (each) => !each.isFavourite && !each.isMarkedUnread)
      await bob.phone.ask('mute', { room, on: true })
      await bob.phone.sees('mode', { room }, (mode: string) => mode === 'Mute')
      await bob.phone.ask('mute', { room, on: false })
      // For a moment a response of sync brings the earlier rules back.
      await bob.phone.sees('mode', { room }, (mode: string) => mode === 'AllMessages')
    },
  },
  {
    name: 'a new display name reaches the members of a room',
    run: async ({ alice, bob, room }) => {
      assert.equal(await alice.phone.ask('profile', { name: 'Alice Liddell' }), 'Alice Liddell')
      await alice.phone.reads(room, 'hello bob')
      await bob.phone.sees('members', { room }, (members: readonly { user: string; name: string }[]) =>
        members.some(({ user, name }) => user === alice.id && name === 'Alice Liddell'),
      )
    },
  },
  {
    name: 'a direct chat is invited to, declined, and gone from the list',
    run: async ({ alice, bob }) => {
      const room = await alice.phone.ask<string>('create', { direct: bob.id })
      await alice.phone.room(room, ({ isDirect, isEncrypted }) => isDirect && isEncrypted)
      await bob.phone.room(room, ({ membership, isDirect }) => membership === 'Invited' && isDirect)
      await bob.phone.ask('leave', { room, forget: true })
      await bob.phone.lacks(room)
      await alice.phone.room(room, ({ invited }) => invited === 0)
    },
  },
  {
    name: 'a public room is found by search, previewed, joined and left',
    run: async ({ alice, bob }) => {
      const room = await alice.phone.ask<string>('create', { name: 'Market square', alias: 'market', public: true })
      const alias = `#market:${alice.id.slice(alice.id.indexOf(':') + 1)}`
      assert.deepEqual(await bob.phone.ask('directory', { term: 'market' }), [room])
      const preview = await bob.phone.ask<{ name: string; joined: number }>('preview', { room: alias })
      assert.deepEqual([preview.name, preview.joined], ['Market square', 1])
      await bob.phone.ask('join', { room: alias })
      await bob.phone.room(room, ({ membership, name }) => membership === 'Joined' && name === 'Market square')
      assert.deepEqual(await bob.phone.ask('search_users', { term: 'alice' }), [alice.id])
      await bob.phone.ask('leave', { room, forget: true })
      await bob.phone.lacks(room)
      await alice.phone.room(room, ({ joined }) => joined === 1)
    },
  },
  {
    name: 'a space shows its rooms',
    run: async ({ alice, bob, room }) => {
      const space = await alice.phone.ask<string>('create', { name: 'House', space: true, invite: [bob.id] })
      await alice.phone.room(space)
      assert.deepEqual(await alice.phone.ask('space', { room: space, child: room }), [room])
      await bob.phone.room(space, ({ membership }) => membership === 'Invited')
      await bob.phone.ask('join', { room: space })
      assert.deepEqual(await bob.phone.ask('space', { room: space }), [room])
    },
  },
  {
    name: 'an ignored user is not read until they are unignored',
    run: async (world) => {
      const { alice, bob, room } = world
      await bob.phone.ask('ignore', { user: alice.id, on: true })
      await alice.phone.ask('send', { room, text: 'are you cross?' })
      const { id } = await alice.phone.reads(room, 'are you cross?')
      const shown = await bob.phone.ask<{ text: string }>('notification', { room, event: id })
      assert.equal(shown.text, '[filtered out]')
      await bob.phone.ask('ignore', { user: alice.id, on: false })
      await world.tells(alice, bob, 'friends again')
    },
  },
]
