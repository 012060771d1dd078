// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeBase64 } from '@myelin/matrix/base64'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import { isObject } from '@myelin/matrix/json'
import { parseJson } from '@myelin/matrix/parse-json'
import { signBytes, signatureOf, signingKeyFromSeed } from '@myelin/matrix/signatures'
import { RemoteError } from '@myelin/remote/remote-error'
import { signedFormOf } from '@myelin/rules/events/signing'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import { EVENT_STATUS, eventById } from '@myelin/storage/rooms/events/events'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { ForeignAuthor } from '../../foreign-author.ts'
import { authorOf } from '../../room-author.ts'
import { keyDocument } from '../../fake-servers/honest-answers.ts'
import { InProcessServers } from '../../fake-servers/in-process-servers.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'

const version = roomVersionOf('12')
const key = signingKeyFromSeed('policy_server', Buffer.alloc(32, 3))

/** A policy server that recommends whatever does not say "spam". */
function policing(home: () => TestServer) {
  return (request: { readonly target: string; readonly body?: string }) => {
    if (!request.target.startsWith('/_matrix/policy/v1/sign')) {
      return keyDocument('policy.test', { validUntilTs: home().rt.clock.now() + 3_600_000 })
    }
    const pdu = parseJson(request.body ?? '')
    assert.ok(isObject(pdu))
    if (request.body?.includes('spam')) {
      const body = { errcode: 'M_FORBIDDEN', error: 'this looks like spam' }
      throw new RemoteError('refused', 'no', { status: 400, errcode: 'M_FORBIDDEN', body })
    }
    return { 'policy.test': { 'ed25519:policy_server': signBytes(signedFormOf(pdu, version), key) } }
  }
}

async function stage(open: OpenDatabase) {
  const transport = new InProcessServers()
  const home: TestServer = await testServer(open, {}, { transport })
  transport.set(
    'policy.test',
    policing(() => home),
  )
  const { token, userId } = await home.register('alice')
  const made = await home.call('POST', '/_matrix/client/v3/createRoom', { token, body: { preset: 'public_chat' } })
  const room = authorOf(home.rt, String(made.body['room_id']) as RoomId)
  await room.member('@watch:policy.test', '@watch:policy.test', 'join')
  await room.member('@bob:two.test', '@bob:two.test', 'join')
  const policy = { via: 'policy.test', public_keys: { ed25519: encodeBase64(key.publicKey) } }
  const say = (body: string, txnId: string) =>
    home.call('PUT', `/_matrix/client/v3/rooms/${room.roomId}/send/m.room.message/${txnId}`, {
      token,
      body: { msgtype: 'm.text', body },
    })
  const enable = () =>
    home.call('PUT', `/_matrix/client/v3/rooms/${room.roomId}/state/m.room.policy/`, { token, body: policy })
  const asked = () => transport.asked.filter(({ target }) => target === '/_matrix/policy/v1/sign').length
  return { home, transport, asked, room, say, enable, token, userId }
}

onEveryDatabase('a room with a policy server', (open) => {
  test('sends what the policy server signed, and its state event without asking', async () => {
    const { home, asked, say, enable } = await stage(open)
    const enabled = await enable()
    assert.equal(enabled.status, 200)
    const before = asked()
    const sent = await say('hello', 't1')
    const again = await say('hello', 't1')
    const stored = await eventById(home.rt.db.read, String(sent.body['event_id']) as EventId)
    assert.equal(sent.status, 200)
    assert.deepEqual(again.body, sent.body)
    assert.ok(stored && signatureOf(stored.pdu.json, 'policy.test', 'ed25519:policy_server'))
    assert.ok(signatureOf(stored.pdu.json, 'one.test', home.rt.signingKey.id))
    assert.equal(asked(), before + 1)
    await home.close()
  })

  test('gives the refusal to the client as it was said, and leaves nothing behind', async () => {
    const { home, say, enable, room } = await stage(open)
    await enable()
    const before = await home.rt.db.position()
    const refused = await say('spam', 't1')
    assert.deepEqual([refused.status, refused.body], [400, { errcode: 'M_FORBIDDEN', error: 'this looks like spam' }])
    assert.equal(await home.rt.db.position(), before)
    assert.ok(room.roomId)
    await home.close()
  })

  test('refuses to send while its policy server is away', async () => {
    const { home, transport, say, enable } = await stage(open)
    await enable()
    transport.set('policy.test', undefined)
    const refused = await say('hello', 't1')
    assert.deepEqual([refused.status, refused.body['errcode']], [403, 'M_FORBIDDEN'])
    await home.close()
  })

  test('asks for the members that join and leave, too', async () => {
    const { home, asked, enable, room, token } = await stage(open)
    await enable()
    const before = asked()
    const body = { user_id: '@bob:two.test' }
    const kicked = await home.call('POST', `/_matrix/client/v3/rooms/${room.roomId}/kick`, { token, body })
    assert.equal(kicked.status, 200)
    assert.equal(asked(), before + 1)
    await home.close()
  })

  test('soft-fails what comes from elsewhere without a recommendation', async () => {
    const { home, transport, enable, room } = await stage(open)
    await enable()
    const away = await testServer(
      open,
      { serverName: 'two.test' },
      { transport: { send: (request) => home.receive(request), close: async () => {} } },
    )
    transport.set('two.test', async ({ target, method, headers }) => {
      const reply = await away.receive({ target, method, headers })
      const chunks: Uint8Array[] = []
      for await (const chunk of reply.body) chunks.push(chunk)
      return Buffer.concat(chunks).toString()
    })
    const theirs = new ForeignAuthor(home, away)
    const draft = { roomId: room.roomId, sender: '@bob:two.test', type: 'm.room.message' }
    const spam = await theirs.sendEvent({ ...draft, content: { msgtype: 'm.text', body: 'spam' } })
    const fine = await theirs.sendEvent({ ...draft, content: { msgtype: 'm.text', body: 'fine' } })
    const [bad, good] = [await eventById(home.rt.db.read, spam.id), await eventById(home.rt.db.read, fine.id)]
    assert.equal(bad?.status, EVENT_STATUS.softFailed)
    assert.equal(good?.status, EVENT_STATUS.accepted)
    assert.ok(good && signatureOf(good.pdu.json, 'policy.test', 'ed25519:policy_server'))
    await away.close()
    await home.close()
  })
})
