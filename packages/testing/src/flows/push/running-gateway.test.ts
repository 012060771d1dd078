// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { RoomClient, until } from '../../clients/room-client.ts'
import { startServerProcess } from '../../processes/server-process.ts'

/**
 * The URL of a running Sygnal, as `http://127.0.0.1:5000`, whose configuration has an app `test.webpush` of the type
 * `webpush`. Its push provider is in this file.
 */
const GATEWAY = process.env['MYELIN_TEST_GATEWAY']
const APP = 'test.webpush'
const WITHIN_MS = 30_000
const options = {
  skip: GATEWAY === undefined && 'MYELIN_TEST_GATEWAY is not set: it takes the URL of a running Sygnal',
}

type Handle = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void | Promise<void>

/** A web server of this test on loopback. */
async function serve(t: TestContext, handle: Handle): Promise<string> {
  const server = createServer((request, response) => {
    void buffer(request).then((body) => handle(request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A browser's subscription to web push; `decrypt` reads a message to it (RFC 8291). */
function subscription() {
  const pair = createECDH('prime256v1')
  const publicKey = pair.generateKeys()
  const auth = randomBytes(16)
  const decrypt = (message: Buffer): Record<string, unknown> => {
    const salt = message.subarray(0, 16)
    const keyEnd = 21 + (message[20] ?? 0)
    const senderKey = message.subarray(21, keyEnd)
    const sealed = message.subarray(keyEnd)
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), publicKey, senderKey])
    const shared = Buffer.from(hkdfSync('sha256', pair.computeSecret(senderKey), auth, info, 32))
    const key = Buffer.from(hkdfSync('sha256', shared, salt, 'Content-Encoding: aes128gcm\0', 16))
    const nonce = Buffer.from(hkdfSync('sha256', shared, salt, 'Content-Encoding: nonce\0', 12))
    const decipher = createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(sealed.subarray(-16))
    const text = Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
    // The byte 2 ends the only record.
    return JSON.parse(text.subarray(0, text.lastIndexOf(2)).toString()) as Record<string, unknown>
  }
  return { pushkey: publicKey.toString('base64url'), auth: auth.toString('base64url'), decrypt }
}

/** Alice and bob in a room, bob's subscription, its provider, and what stands in front of the gateway. */
async function stage(t: TestContext) {
  const got: Record<string, unknown>[] = []
  const subscribed = subscription()
  const state = { providerStatus: 201, front: 'open' as 'open' | 'down' | 'busy', turnedAway: 0 }
  const provider = await serve(t, (_, response, body) => {
    if (state.providerStatus === 201) got.push(subscribed.decrypt(body))
    response.writeHead(state.providerStatus).end()
  })
  const front = await serve(t, async (request, response, body) => {
    if (state.front !== 'open') state.turnedAway++
    if (state.front === 'down') return void request.socket.destroy()
    if (state.front === 'busy') return void response.writeHead(429, { 'retry-after': '3' }).end()
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${GATEWAY}${request.url}`, { method: 'POST', headers, body: new Uint8Array(body) })
    response.writeHead(answer.status).end(await answer.text())
  })
  const server = await startServerProcess({
    settings: `enable_registration: true
enable_registration_without_verification: true
ip_range_whitelist: [127.0.0.1]
`,
  })
  t.after(() => server.close())
  const [alice, bob] = [await RoomClient.register(server.url, 'alice'), await RoomClient.register(server.url, 'bob')]
  const room = await alice.createRoom({ preset: 'public_chat', name: 'Tea' })
  await bob.call('POST', `${room.path}/join`, {})
  const setPusher = (appId: string) =>
    bob.call('POST', '/pushers/set', {
      app_id: appId,
      pushkey: subscribed.pushkey,
      kind: 'http',
      app_display_name: 'App',
      device_display_name: 'Browser',
      lang: 'en',
      data: { url: `${front}/_matrix/push/v1/notify`, endpoint: `${provider}/subscription`, auth: subscribed.auth },
    })
  const pushers = async () => (await bob.call('GET', '/pushers'))['pushers'] as readonly object[]
  const bodies = () => got.map(({ content }) => (content as { body?: string } | undefined)?.body)
  return { state, alice, bob, room, got, setPusher, pushers, bodies }
}

test('a running gateway passes an event on to its push provider', options, async (t) => {
  const { alice, room, got, setPusher } = await stage(t)
  await setPusher(APP)
  const eventId = await alice.say(room, 'tea is ready')
  await until('the push', async () => got.length > 0, WITHIN_MS)
  const [{ event_id: pushed, room_id: roomId, room_name: name, sender, type, content, unread } = {}] = got
  assert.deepEqual(
    [pushed, roomId, name, sender, type, content, unread],
    [eventId, room.id, 'Tea', alice.userId, 'm.room.message', { msgtype: 'm.text', body: 'tea is ready' }, 1],
  )
})

test('a running gateway passes the badge on once the user has read', options, async (t) => {
  const { alice, bob, room, got, setPusher } = await stage(t)
  await setPusher(APP)
  const eventId = await alice.say(room, 'tea is ready')
  await until('the push', async () => got.length > 0, WITHIN_MS)
  await bob.call('POST', `${room.path}/receipt/m.read/${encodeURIComponent(eventId)}`, {})
  await until('the badge', async () => got.length > 1, WITHIN_MS)
  assert.deepEqual(got[1], { unread: 0 })
})

test('a pusher is deleted when the provider has dropped its subscription', options, async (t) => {
  const { state, alice, room, setPusher, pushers } = await stage(t)
  await setPusher(APP)
  state.providerStatus = 410
  await alice.say(room, 'to nobody')
  await until('the end of the pusher', async () => (await pushers()).length === 0, WITHIN_MS)
})

test('a pusher is deleted when the gateway does not know its app', options, async (t) => {
  const { alice, room, setPusher, pushers } = await stage(t)
  await setPusher('of.nobody')
  await alice.say(room, 'to nobody')
  await until('the end of the pusher', async () => (await pushers()).length === 0, WITHIN_MS)
})

for (const outage of ['down', 'busy'] as const) {
  test(`a gateway that is ${outage} for a while gets all messages afterwards, in order`, options, async (t) => {
    const { state, alice, room, setPusher, pushers, bodies } = await stage(t)
    await setPusher(APP)
    state.front = outage
    const words = ['one', 'two', 'three']
    for (const word of words) await alice.say(room, word)
    await until('two attempts', async () => state.turnedAway >= 2, WITHIN_MS)
    assert.deepEqual(bodies(), [])
    state.front = 'open'
    await until('the messages', async () => bodies().length >= words.length, WITHIN_MS)
    assert.deepEqual(bodies(), words)
    assert.equal((await pushers()).length, 1)
  })
}
