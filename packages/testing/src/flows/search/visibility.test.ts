// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import { endAccount } from '@myelin/services/accounts/deactivate-account'
import { onEveryDatabase } from '../../databases.ts'
import { authorRoom } from '../../room-author.ts'
import { searchStage } from '../../stages/search-stage.ts'

const VISIBILITIES = ['joined', 'invited', 'shared', 'world_readable'] as const

onEveryDatabase('a search of a user', (open) => {
  for (const visibility of VISIBILITIES) {
    test(`finds what they may see in a room with ${visibility} history, and nothing after they left`, async () => {
      const { server, alice, bob, room, bodies } = await searchStage(open)
      const [carol, dora, eve, frank] = [
        await server.register('carol'),
        await server.register('dora'),
        await server.register('eve'),
        await server.register('frank'),
      ]
      await room.send(alice.userId, 'm.room.history_visibility', { history_visibility: visibility }, '')
      await room.member(alice.userId, frank.userId, 'invite')
      await room.say(alice.userId, 'word 1')
      await room.member(carol.userId, carol.userId, 'join')
      await room.member(bob.userId, bob.userId, 'leave')
      await room.say(alice.userId, 'word 2')
      await room.member(frank.userId, frank.userId, 'join')
      await room.member(alice.userId, carol.userId, 'ban')
      await room.say(alice.userId, 'word 3')
      await room.member(bob.userId, bob.userId, 'join')
      await room.member(alice.userId, eve.userId, 'invite')
      await room.say(alice.userId, 'word 4')
      await room.member(eve.userId, eve.userId, 'leave')
      const found: Record<string, readonly string[]> = {}
      for (const [name, who] of Object.entries({ alice, bob, carol, dora, eve, frank }))
        found[name] = (await bodies(who, 'word')).map((body) => body.slice(-1)).toReversed()
      await server.close()
      const isShared = visibility === 'shared' || visibility === 'world_readable'
      assert.deepEqual(found, {
        alice: ['1', '2', '3', '4'],
        bob: isShared ? ['1', '2', '3', '4'] : ['1', '4'],
        carol: isShared ? ['1', '2'] : ['2'],
        dora: [],
        eve: [],
        frank: visibility === 'joined' ? ['3', '4'] : ['1', '2', '3', '4'],
      })
    })
  }

  test('does not find what ignored users wrote, nor rooms that were forgotten', async () => {
    const { server, alice, bob, room, bodies } = await searchStage(open)
    const other = await authorRoom(server.rt, alice.userId, { preset: 'public_chat' })
    await other.member(bob.userId, bob.userId, 'join')
    await other.say(alice.userId, 'word there')
    await room.say(alice.userId, 'word here')
    await room.say(bob.userId, 'word of bob')
    await other.member(bob.userId, bob.userId, 'leave')
    const before = await bodies(bob, 'word')
    await server.call('POST', `/_matrix/client/v3/rooms/${other.roomId}/forget`, { token: bob.token, body: {} })
    const path = `/_matrix/client/v3/user/${alice.userId}/account_data/m.ignored_user_list`
    await server.call('PUT', path, { token: alice.token, body: { ignored_users: { [bob.userId]: {} } } })
    const [ofBob, ofAlice] = [await bodies(bob, 'word'), await bodies(alice, 'word')]
    await server.close()
    assert.deepEqual(before, ['word of bob', 'word here', 'word there'])
    assert.deepEqual(ofBob, ['word of bob', 'word here'])
    assert.deepEqual(ofAlice, ['word here', 'word there'])
  })

  test('does not find redacted messages, and an edit beside its original', async () => {
    const { server, alice, bob, room, bodies } = await searchStage(open)
    const first = await room.say(bob.userId, 'word first')
    const second = await room.say(bob.userId, 'word second')
    await room.say(bob.userId, 'word third')
    await room.send(bob.userId, 'm.room.message', {
      body: '* word edited',
      msgtype: 'm.text',
      'm.new_content': { body: 'word edited', msgtype: 'm.text' },
      'm.relates_to': { rel_type: 'm.replace', event_id: second },
    })
    const before = await bodies(alice, 'word')
    const redact = `/_matrix/client/v3/rooms/${room.roomId}/redact/${first}/1`
    await server.call('PUT', redact, { token: alice.token, body: {} })
    const redacted = await bodies(alice, 'word')
    await room.send(
      alice.userId,
      'm.room.member',
      { membership: 'ban', 'org.matrix.msc4293.redact_events': true },
      bob.userId,
    )
    const banned = await bodies(alice, 'word')
    const entries = await server.rt.db.read.selectFrom('search_entries').selectAll().execute()
    await server.close()
    assert.deepEqual(before, ['* word edited', 'word third', 'word second', 'word first'])
    assert.deepEqual(redacted, ['* word edited', 'word third', 'word second'])
    assert.deepEqual([banned, entries], [[], []])
  })

  test('finds the messages of an erased user only where they were there', async () => {
    const { server, alice, bob, room, bodies } = await searchStage(open)
    await room.say(bob.userId, 'word of bob')
    const carol = await server.register('carol')
    await room.member(carol.userId, carol.userId, 'join')
    const before = await bodies(carol, 'word')
    await endAccount(server.rt, bob.userId as UserId, true, async () => {})
    const [ofAlice, ofCarol] = [await bodies(alice, 'word'), await bodies(carol, 'word')]
    await server.close()
    assert.deepEqual([before, ofAlice, ofCarol], [['word of bob'], ['word of bob'], []])
  })

  test('finds nothing in encrypted rooms, and what was said before in a room that was left before', async () => {
    const { server, alice, bob, room, bodies } = await searchStage(open)
    await room.say(alice.userId, 'word')
    await room.member(bob.userId, bob.userId, 'leave')
    await room.send(alice.userId, 'm.room.encryption', { algorithm: 'm.megolm.v1.aes-sha2' }, '')
    await room.say(alice.userId, 'word again')
    const [ofAlice, ofBob] = [await bodies(alice, 'word'), await bodies(bob, 'word')]
    await server.close()
    assert.deepEqual([ofAlice, ofBob], [[], ['word']])
  })

  test('goes on in the rooms that were upgraded to a room that the filter names', async () => {
    const { server, alice, room, bodies } = await searchStage(open)
    const other = await authorRoom(server.rt, alice.userId, {})
    await other.say(alice.userId, 'word elsewhere')
    await room.say(alice.userId, 'word old')
    const upgrade = async (roomId: string) => {
      const path = `/_matrix/client/v3/rooms/${roomId}/upgrade`
      const { body } = await server.call('POST', path, { token: alice.token, body: { new_version: '12' } })
      return String(body['replacement_room'])
    }
    const second = await upgrade(room.roomId)
    const say = async (roomId: string, body: string) => {
      const path = `/_matrix/client/v3/rooms/${roomId}/send/m.room.message/1`
      await server.call('PUT', path, { token: alice.token, body: { body, msgtype: 'm.text' } })
    }
    server.rt.clock.advance(1_000)
    await say(second, 'word newer')
    const third = await upgrade(second)
    server.rt.clock.advance(1_000)
    await say(third, 'word newest')
    const only = async (filter: object) => bodies(alice, 'word', { filter })
    const found = [
      await only({ rooms: [third] }),
      await only({ rooms: [room.roomId] }),
      await only({ rooms: [third], not_rooms: [second] }),
      await only({ not_rooms: [other.roomId] }),
    ]
    await server.close()
    assert.deepEqual(found, [
      ['word newest', 'word newer', 'word old'],
      ['word old'],
      ['word newest'],
      ['word newest', 'word newer', 'word old'],
    ])
  })
})
