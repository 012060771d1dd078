// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { eventById } from '@myelin/storage/rooms/events/events'
import { relayedEvents } from '@myelin/testing/stored-rows'
import { openTemporarySqlite } from '@myelin/testing/databases'
import { ForeignAuthor } from '@myelin/testing/foreign-author'
import { testNetwork } from '@myelin/testing/network'
import { authorRoom } from '@myelin/testing/room-author'
import type { RoomAuthor } from '@myelin/testing/room-author'
import type { TestServer } from '@myelin/testing/server'

const [alice, bob, mallory] = ['@alice:one.test', '@bob:two.test', '@mallory:three.test'] as const

type Stage = {
  readonly home: TestServer
  readonly away: TestServer
  readonly room: RoomAuthor
  readonly author: ForeignAuthor
  readonly ask: (
    method: 'GET' | 'PUT',
    parts: readonly string[],
    more?: { query?: object; body?: JsonObject },
  ) => Promise<JsonObject>
  readonly close: () => Promise<void>
}

/** A room of alice that anybody may join; two.test asks. */
async function stage(options: object = {}): Promise<Stage> {
  const network = await testNetwork({ servers: 2, open: openTemporarySqlite })
  const [home, away] = [network.server('one.test'), network.server('two.test')]
  const room = await authorRoom(home.rt, alice, { preset: 'public_chat', ...options })
  return {
    home,
    away,
    room,
    author: new ForeignAuthor(home, away),
    ask: async (method, parts, { query = {}, body } = {}) => {
      const target = federationPath(['federation', ...parts], query as Record<string, string>)
      return away.rt.remote.call(home.name, { method, target, ...(body ? { body } : {}) })
    },
    close: () => network.close(),
  }
}

const refused = (status: number, errcode: string) => (cause: unknown) => {
  assert.ok(cause instanceof RemoteError)
  assert.deepEqual([cause.status, cause.errcode], [status, errcode], cause.message)
  return true
}

const member = (roomId: RoomId, change: object = {}) => ({
  roomId,
  sender: bob,
  type: 'm.room.member',
  stateKey: bob,
  content: { membership: 'join' },
  ...change,
})

describe('asking for a membership', () => {
  const versions = { ver: ['11', '12'] }
  const cases: Readonly<
    Record<string, readonly [parts: (room: string) => string[], query: object, status: number, errcode: string]>
  > = {
    'a room nobody knows': [() => ['v1', 'make_join', '!other:one.test', bob], versions, 404, 'M_NOT_FOUND'],
    'the user of another server': [(room) => ['v1', 'make_join', room, mallory], versions, 403, 'M_FORBIDDEN'],
    'our own user': [(room) => ['v1', 'make_leave', room, alice], {}, 403, 'M_FORBIDDEN'],
    'a server that says no version': [(room) => ['v1', 'make_join', room, bob], {}, 400, 'M_INCOMPATIBLE_ROOM_VERSION'],
    'a server that knows other versions': [
      (room) => ['v1', 'make_join', room, bob],
      { ver: ['9'] },
      400,
      'M_INCOMPATIBLE_ROOM_VERSION',
    ],
    'a leave of who is not there': [(room) => ['v1', 'make_leave', room, bob], {}, 403, 'M_FORBIDDEN'],
  }
  for (const [name, [parts, query, status, errcode]] of Object.entries(cases)) {
    test(`is refused to ${name}`, async () => {
      const { room, ask, close } = await stage()
      await assert.rejects(ask('GET', parts(room.roomId), { query }), refused(status, errcode))
      await close()
    })
  }

  test('is refused where the room allows no joins, bans the user, or denies the server', async () => {
    const { home, room, ask, close } = await stage({ preset: 'private_chat' })
    const parts = ['v1', 'make_join', room.roomId, bob]
    await assert.rejects(ask('GET', parts, { query: versions }), refused(403, 'M_FORBIDDEN'))
    await room.send(alice, 'm.room.join_rules', { join_rule: 'public' }, '')
    assert.equal((await ask('GET', parts, { query: versions }))['room_version'], home.rt.config.rooms.defaultVersion)
    await room.member(alice, bob, 'ban')
    await assert.rejects(ask('GET', parts, { query: versions }), refused(403, 'M_FORBIDDEN'))
    await room.member(alice, bob, 'leave')
    await room.send(alice, 'm.room.server_acl', { allow: ['*'], deny: ['two.test'] }, '')
    await assert.rejects(ask('GET', parts, { query: versions }), refused(403, 'M_FORBIDDEN'))
    await close()
  })
})

describe('a join that another server sends', () => {
  const send = ({ ask }: Stage, roomId: RoomId, eventId: EventId, body: JsonObject) =>
    ask('PUT', ['v2', 'send_join', roomId, eventId], { body })

  const drafts: Readonly<Record<string, object>> = {
    'is no member event': { type: 'm.room.topic', stateKey: '', content: { topic: 'ours' } },
    'has no state key': { stateKey: undefined },
    'is of another member than its sender': { stateKey: '@carol:two.test' },
    'is a leave': { content: { membership: 'leave' } },
    'is an invite': { stateKey: '@carol:two.test', content: { membership: 'invite' } },
    'is of a user of another server': { sender: mallory, stateKey: mallory },
    'follows events that nobody has': { prevEvents: [`$${'a'.repeat(43)}`] },
    'is vouched for by a user of a third server': {
      content: { membership: 'join', join_authorised_via_users_server: mallory },
    },
  }
  for (const [name, change] of Object.entries(drafts)) {
    test(`is refused where it ${name}`, async () => {
      const set = await stage()
      const pdu = await set.author.build(member(set.room.roomId, change))
      await assert.rejects(send(set, set.room.roomId, pdu.id, pdu.json), refused(400, 'M_INVALID_PARAM'))
      assert.equal(await eventById(set.home.rt.db.read, pdu.id), undefined)
      await set.close()
    })
  }

  const forgeries: Readonly<Record<string, (json: JsonObject) => JsonObject>> = {
    'has no signature': (json) => ({ ...json, signatures: {} }),
    'has the signature of another': (json) => ({
      ...json,
      signatures: { 'two.test': { 'ed25519:test': 'A'.repeat(86) } },
    }),
    'was changed after it was hashed': (json) => ({ ...json, content: { membership: 'join', displayname: 'Alice' } }),
  }
  for (const [name, forge] of Object.entries(forgeries)) {
    test(`is refused where it ${name}`, async () => {
      const set = await stage()
      const pdu = await set.author.build(member(set.room.roomId))
      await assert.rejects(send(set, set.room.roomId, pdu.id, forge(pdu.json)), refused(400, 'M_INVALID_PARAM'))
      await set.close()
    })
  }

  test('is refused under the path of another room of ours, and taken whatever else stands there', async () => {
    const set = await stage()
    const pdu = await set.author.build(member(set.room.roomId))
    const other = await authorRoom(set.home.rt, alice, { preset: 'public_chat' })
    await assert.rejects(send(set, other.roomId, pdu.id, pdu.json), refused(400, 'M_INVALID_PARAM'))
    assert.ok((await send(set, set.room.roomId, 'xxx' as EventId, pdu.json))['state'])
    assert.ok(await eventById(set.home.rt.db.read, pdu.id))
    await set.close()
  })

  test('is taken as the first version of the spec has it, and so is a leave', async () => {
    const set = await stage()
    const join = await set.author.build(member(set.room.roomId))
    const sendV1 = async (what: string, { id, json }: Pdu) => {
      const target = federationPath(['federation', 'v1', what, set.room.roomId, id])
      const reply = await set.away.rt.remote.open(set.home.name, { method: 'PUT', target, body: json })
      const chunks: Uint8Array[] = []
      for await (const chunk of reply.body) chunks.push(chunk)
      return [reply.status, JSON.parse(Buffer.concat(chunks).toString())] as const
    }
    const [status, body] = await sendV1('send_join', join)
    assert.deepEqual([status, body[0], Object.keys(body[1])], [200, 200, ['state', 'auth_chain', 'event', 'origin']])
    const leave = await set.author.build(member(set.room.roomId, { content: { membership: 'leave' } }))
    const [refusal, { errcode }] = await sendV1('send_join', leave)
    assert.deepEqual([refusal, errcode], [400, 'M_INVALID_PARAM'])
    assert.deepEqual(await sendV1('send_leave', leave), [200, [200, {}]])
    await set.close()
  })

  test('is refused where the room does not allow it', async () => {
    const set = await stage({ preset: 'private_chat' })
    const pdu = await set.author.build(member(set.room.roomId))
    await assert.rejects(send(set, set.room.roomId, pdu.id, pdu.json), refused(403, 'M_FORBIDDEN'))
    await set.close()
  })

  test('is taken once however often it is sent, and goes on to the other servers', async () => {
    const set = await stage()
    const pdu = await set.author.build(member(set.room.roomId))
    const first = await send(set, set.room.roomId, pdu.id, pdu.json)
    const second = await send(set, set.room.roomId, pdu.id, pdu.json)
    assert.deepEqual(second['state'], first['state'])
    assert.equal(first['members_omitted'], false)
    assert.deepEqual(first['servers_in_room'], ['one.test'])
    assert.deepEqual(await relayedEvents(set.home.rt.db.read), [pdu.id])
    await set.close()
  })

  test('is answered without the members where these are not wanted, but for those that name the room', async () => {
    const set = await stage({ name: 'The room' })
    for (const name of ['carol', 'dan']) await set.room.member(`@${name}:one.test`, `@${name}:one.test`, 'join')
    const pdu = await set.author.build(member(set.room.roomId))
    const omitted = await set.ask('PUT', ['v2', 'send_join', set.room.roomId, pdu.id], {
      query: { omit_members: 'true' },
      body: pdu.json,
    })
    assert.equal(omitted['members_omitted'], true)
    const types = (omitted['state'] as JsonObject[]).map(({ type }) => type)
    assert.ok(types.includes('m.room.create') && !types.includes('m.room.member'))
    await set.room.send(alice, 'm.room.name', { name: '' }, '')
    const nameless = await set.ask('PUT', ['v2', 'send_join', set.room.roomId, pdu.id], {
      query: { omit_members: 'true' },
      body: pdu.json,
    })
    const keys = (nameless['state'] as JsonObject[]).flatMap((event) =>
      event['type'] === 'm.room.member' ? event['state_key'] : [],
    )
    assert.deepEqual(new Set(keys), new Set(['@alice:one.test', '@carol:one.test', '@dan:one.test']))
    await set.close()
  })

  test('is followed by a leave the same way', async () => {
    const set = await stage()
    const pdu = await set.author.build(member(set.room.roomId))
    await send(set, set.room.roomId, pdu.id, pdu.json)
    const template = await set.ask('GET', ['v1', 'make_leave', set.room.roomId, bob])
    assert.equal((template['event'] as JsonObject)['state_key'], bob)
    const leave = await set.author.build(member(set.room.roomId, { content: { membership: 'leave' } }))
    await assert.rejects(send(set, set.room.roomId, leave.id, leave.json), refused(400, 'M_INVALID_PARAM'))
    assert.deepEqual(await set.ask('PUT', ['v2', 'send_leave', set.room.roomId, leave.id], { body: leave.json }), {})
    await set.close()
  })
})
