// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import type { RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { federationPath } from '@myelin/remote/federation'
import { ForeignAuthor } from '@myelin/testing/foreign-author'
import { testNetwork } from '@myelin/testing/network'
import type { TestNetwork } from '@myelin/testing/network'
import type { TestServer } from '@myelin/testing/server'

const BOB = '@bob:two.test'

describe('version 1 of the handshakes, by a server that knows no other', () => {
  let net: TestNetwork
  let one: TestServer
  let two: TestServer
  before(async () => {
    net = await testNetwork({ servers: 2 })
    one = net.server('one.test')
    two = net.server('two.test')
  })
  after(() => net.close())

  const newRoom = async (server: TestServer, name: string) => {
    const { token } = await server.register(name)
    const body = { preset: 'public_chat', room_version: '1' }
    const { body: answer } = await server.call('POST', '/_matrix/client/v3/createRoom', { token, body })
    return { roomId: String(answer['room_id']) as RoomId, token }
  }

  /** Sends an event to one.test, and returns the reply: a status and an object. */
  const put = async (operation: string, roomId: string, eventId: string, body: JsonObject) => {
    const target = federationPath(['federation', 'v1', operation, roomId, eventId])
    const reply = await two.rt.remote.open(one.name, { method: 'PUT', target, body })
    const sent = await text(reply.body)
    assert.equal(reply.status, 200, sent)
    return JSON.parse(sent) as [number, Record<string, unknown>]
  }

  test('lets a user join and leave', async () => {
    const { roomId, token } = await newRoom(one, 'alice')
    const author = new ForeignAuthor(one, two)
    const member = (membership: string) =>
      author.build({ roomId, sender: BOB, type: 'm.room.member', stateKey: BOB, content: { membership } })
    const memberships = async () => {
      const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/joined_members`
      return Object.keys((await one.call('GET', path, { token })).body['joined'] as object)
    }
    const join = await member('join')
    const [status, answer] = await put('send_join', roomId, join.id, join.json)
    assert.equal(status, 200)
    assert.equal(answer['origin'], 'one.test')
    assert.ok((answer['state'] as unknown[]).length > 0)
    assert.deepEqual((await memberships()).toSorted(), ['@alice:one.test', BOB])
    const leave = await member('leave')
    assert.deepEqual(await put('send_leave', roomId, leave.id, leave.json), [200, {}])
    assert.deepEqual(await memberships(), ['@alice:one.test'])
  })

  test('invites a user, and returns the invite with a second signature', async () => {
    const carol = await one.register('carol')
    const { roomId } = await newRoom(two, 'bob')
    const invite = await new ForeignAuthor(two, two).build({
      roomId,
      sender: BOB,
      type: 'm.room.member',
      stateKey: carol.userId,
      content: { membership: 'invite' },
    })
    const [status, answer] = await put('invite', roomId, invite.id, {
      ...invite.json,
      unsigned: { invite_room_state: [] },
    })
    assert.equal(status, 200)
    const { signatures } = answer['event'] as { signatures: Record<string, unknown> }
    assert.deepEqual(Object.keys(signatures).toSorted(), ['one.test', 'two.test'])
  })
})
