// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { queueEdu } from '@myelin/storage/federation/outgoing-edus'
import { receiptsBetween } from '@myelin/storage/sync/receipts'
import { onEveryDatabase } from '../../databases.ts'
import type { RoomAuthor } from '../../room-author.ts'
import type { TestServer } from '../../server.ts'
import { onTwoServers } from '../../two-servers.ts'
import type { Person } from '../../two-servers.ts'

const typingOf = ({ rt }: TestServer, roomId: RoomAuthor['roomId']) => rt.typing.typersIn(roomId)

async function type(server: TestServer, who: Person, room: RoomAuthor, typing: boolean): Promise<void> {
  const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/typing/${encodeURIComponent(who.userId)}`
  const { status } = await server.call('PUT', path, { token: who.token, body: { typing, timeout: 20_000 } })
  assert.equal(status, 200)
}

async function toDevice(server: TestServer, who: Person, messages: JsonObject, txn: string): Promise<void> {
  const path = `/_matrix/client/v3/sendToDevice/m.room_key_request/${txn}`
  const { status } = await server.call('PUT', path, { token: who.token, body: { messages } })
  assert.equal(status, 200)
}

/** Returns the to-device messages that wait for a device, and the next token. */
async function inboxOf(server: TestServer, who: Person, since = ''): Promise<{ words: unknown[]; next: string }> {
  const { body } = await server.call('GET', `/_matrix/client/v3/sync?timeout=0${since && `&since=${since}`}`, {
    token: who.token,
  })
  const { events = [] } = (body['to_device'] ?? {}) as { events?: { content: { word?: unknown } }[] }
  return { words: events.map(({ content }) => content.word), next: String(body['next_batch']) }
}

onEveryDatabase('typing', (open) => {
  test('is seen at other servers, until it ends or is heard of no more', () =>
    onTwoServers(open, async ({ network, room, alice, one, two, settled }) => {
      await type(one(), alice, room, true)
      await settled()
      assert.deepEqual(typingOf(two(), room.roomId), [alice.userId])
      await type(one(), alice, room, false)
      await settled()
      assert.deepEqual(typingOf(two(), room.roomId), [])
      await type(one(), alice, room, true)
      await settled()
      network.partition(['one.test'], ['two.test'])
      network.clock.advance(61_000)
      assert.deepEqual(typingOf(two(), room.roomId), [])
    }))

  test('is lost rather than late', () =>
    onTwoServers(open, async ({ network, room, alice, one, two, settled }) => {
      network.partition(['one.test'], ['two.test'])
      await room.say(alice.userId, 'does not arrive yet')
      await settled()
      await type(one(), alice, room, true)
      await settled()
      network.heal()
      network.clock.advance(13_000)
      await settled()
      assert.deepEqual(typingOf(two(), room.roomId), [])
    }))

  test('is taken only from who is in the room, and from their own server', () =>
    onTwoServers(open, async ({ room, alice, one, sendEdus }) => {
      const typing = (userId: string, roomId: string = room.roomId) => ({
        edu_type: 'm.typing',
        content: { room_id: roomId, user_id: userId, typing: true },
      })
      await sendEdus(typing(alice.userId), typing('@mallory:two.test'), typing('@bob:two.test', '!other:one.test'))
      assert.deepEqual(typingOf(one(), room.roomId), [])
      await sendEdus(typing('@bob:two.test'))
      assert.deepEqual(typingOf(one(), room.roomId), ['@bob:two.test'])
    }))

  test('and receipts are not taken from a server that the room does not let speak', () =>
    onTwoServers(open, async ({ room, alice, bob, one, sendEdus, settled }) => {
      const read = await room.say(alice.userId, 'hello')
      await room.send(alice.userId, 'm.room.server_acl', { allow: ['*'], deny: ['two.test'] }, '')
      await settled()
      await sendEdus(
        { edu_type: 'm.typing', content: { room_id: room.roomId, user_id: bob.userId, typing: true } },
        {
          edu_type: 'm.receipt',
          content: { [room.roomId]: { 'm.read': { [bob.userId]: { event_ids: [read], data: { ts: 1 } } } } },
        },
      )
      assert.deepEqual(typingOf(one(), room.roomId), [])
      assert.deepEqual(await receiptsBetween(one().rt.db.read, room.roomId, 0, 2 ** 40), [])
    }))
})

onEveryDatabase('receipts', (open) => {
  const mark = async (server: TestServer, who: Person, room: RoomAuthor, eventId: string, kind = 'm.read') => {
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/receipt/${kind}/${encodeURIComponent(eventId)}`
    const { status } = await server.call('POST', path, { token: who.token, body: {} })
    assert.equal(status, 200)
  }
  const readAt = async ({ rt }: TestServer, { roomId }: RoomAuthor) =>
    (await receiptsBetween(rt.db.read, roomId, 0, 2 ** 40)).map(({ userId, eventId }) => `${userId} ${eventId}`)

  test('reach the other servers in the room, private ones do not', () =>
    onTwoServers(open, async ({ room, alice, one, two, settled }) => {
      const [first, second] = [await room.say(alice.userId, 'one'), await room.say(alice.userId, 'two')]
      await settled()
      await mark(one(), alice, room, first)
      await mark(one(), alice, room, second, 'm.read.private')
      await settled()
      assert.deepEqual(await readAt(two(), room), [`${alice.userId} ${first}`])
    }))

  test('wait for a server that does not answer', () =>
    onTwoServers(open, async ({ network, room, alice, one, two, settled }) => {
      const read = await room.say(alice.userId, 'one')
      await settled()
      network.partition(['one.test'], ['two.test'])
      await mark(one(), alice, room, read)
      await settled()
      network.heal()
      network.clock.advance(13_000)
      await settled()
      assert.deepEqual(await readAt(two(), room), [`${alice.userId} ${read}`])
    }))

  test('are taken for who is in the room, from their own server, on events we have', () =>
    onTwoServers(open, async ({ room, alice, bob, one, sendEdus }) => {
      const read = await room.say(alice.userId, 'one')
      const receipt = (userId: string, eventId: string, extra: JsonObject = {}) => ({
        edu_type: 'm.receipt',
        content: { [room.roomId]: { 'm.read': { [userId]: { event_ids: [eventId], data: { ts: 5, ...extra } } } } },
      })
      await sendEdus(
        receipt(alice.userId, read),
        receipt('@mallory:two.test', read),
        receipt(bob.userId, `$${'a'.repeat(43)}`),
        receipt(bob.userId, read, { thread_id: `$${'b'.repeat(43)}` }),
        { edu_type: 'm.receipt', content: { [room.roomId]: { 'm.read': { [bob.userId]: 'what' } }, '!no': [] } },
      )
      assert.deepEqual(await readAt(one(), room), [])
      await sendEdus(receipt(bob.userId, read))
      assert.deepEqual(await readAt(one(), room), [`${bob.userId} ${read}`])
    }))
})

onEveryDatabase('messages to devices elsewhere', (open) => {
  test('arrive once and in order, at one device or at all of a user', () =>
    onTwoServers(open, async ({ alice, bob, one, two, settled }) => {
      await toDevice(one(), alice, { [bob.userId]: { [bob.deviceId]: { word: 'first' } } }, 't1')
      await toDevice(one(), alice, { [bob.userId]: { '*': { word: 'second' } } }, 't2')
      await toDevice(one(), alice, { [bob.userId]: { '*': { word: 'second' } } }, 't2')
      await toDevice(one(), alice, { [bob.userId]: { OTHER: { word: 'no such device' } } }, 't3')
      await settled()
      assert.deepEqual((await inboxOf(two(), bob)).words, ['first', 'second'])
    }))

  test('survive partition, loss and restart, none lost and none doubled', () =>
    onTwoServers(open, async ({ network, alice, bob, one, two, settled }) => {
      const wanted = Array.from({ length: 40 }, (_, number) => number)
      network.setFaults({ loss: 0.5 })
      for (const word of wanted) {
        await toDevice(one(), alice, { [bob.userId]: { '*': { word } } }, `t${word}`)
        if (word === 10) network.partition(['one.test'], ['two.test'])
        if (word === 20) await network.restart('one.test')
        if (word === 25) network.partition(['one.test', 'two.test'])
        if (word === 30) await network.restart('two.test')
        network.clock.advance(5_000)
        await settled()
      }
      await network.settle(async () => (await inboxOf(two(), bob)).words.length >= wanted.length, 12 * 3_600_000)
      network.heal()
      await settled()
      assert.deepEqual((await inboxOf(two(), bob)).words, wanted)
    }))

  test('go out after a restart, also where nothing else happens', () =>
    onTwoServers(open, async ({ network, alice, bob, one, two, settled }) => {
      network.partition(['one.test'], ['two.test'])
      await toDevice(one(), alice, { [bob.userId]: { '*': { word: 'only' } } }, 't')
      await settled()
      await network.restart('one.test')
      network.heal()
      await network.settle(async () => (await inboxOf(two(), bob)).words.includes('only'))
    }))

  test('go in smaller parts to a server that refuses large ones, and what it never takes is left out', () =>
    onTwoServers(open, async ({ network, alice, bob, one, two, settled }) => {
      network.partition(['one.test'], ['two.test'])
      for (let number = 0; number < 30; number++) {
        const word = `${number}`.padEnd(60_000, 'x')
        await toDevice(one(), alice, { [bob.userId]: { '*': { word } } }, `t${number}`)
      }
      const tooMuch = JSON.stringify({ edu_type: 'm.odd', content: { word: 'x'.repeat(2_000_000) } })
      await one().rt.db.write((tx) => queueEdu(tx, two().name, tooMuch, 0))
      await toDevice(one(), alice, { [bob.userId]: { '*': { word: 'last' } } }, 'last')
      network.heal()
      await network.settle(async () => (await inboxOf(two(), bob)).words.includes('last'))
      await settled()
      assert.equal((await inboxOf(two(), bob)).words.length, 31)
    }))

  test('are taken only from the sender, for users of ours, and once under an id', () =>
    onTwoServers(open, async ({ alice, bob, one, sendEdus }) => {
      const message = (sender: string, id: string, to: string = alice.userId) => ({
        edu_type: 'm.direct_to_device',
        content: { sender, type: 'm.x', message_id: id, messages: { [to]: { '*': { word: `${sender} ${id}` } } } },
      })
      await sendEdus(
        message('@eve:three.test', 'a'),
        message(alice.userId, 'b'),
        message(bob.userId, 'c'.repeat(33)),
        message(bob.userId, '🦊'.repeat(33)),
        message(bob.userId, 'd', '@alice:two.test'),
        message(bob.userId, 'good'),
        message(bob.userId, 'good'),
        // The spec counts code points.
        message(bob.userId, '🦊'.repeat(32)),
      )
      await sendEdus(message(bob.userId, 'good'))
      assert.deepEqual((await inboxOf(one(), alice)).words, [`${bob.userId} good`, `${bob.userId} ${'🦊'.repeat(32)}`])
    }))

  test('that are too large are refused here, and left out when they come', () =>
    onTwoServers(open, async ({ alice, bob, one, sendEdus }) => {
      const word = 'x'.repeat(70_000)
      const path = '/_matrix/client/v3/sendToDevice/m.x/t1'
      const body = { messages: { [bob.userId]: { '*': { word } } } }
      assert.equal((await one().call('PUT', path, { token: alice.token, body })).status, 413)
      const content = {
        sender: bob.userId as UserId,
        type: 'm.x',
        message_id: 'i',
        messages: { [alice.userId]: { '*': { word } } },
      }
      await sendEdus({ edu_type: 'm.direct_to_device', content })
      assert.deepEqual((await inboxOf(one(), alice)).words, [])
    }))
})
