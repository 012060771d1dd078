// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import type { JsonObject } from '@myelin/matrix/json'
import { RemoteError } from '@myelin/remote/remote-error'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { testNetwork } from '../../network.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'
import { standInSfu } from '../../stand-in-sfu.ts'

const v3 = '/_matrix/client/v3'
const unstable = '/_matrix/client/unstable'
const msc4195 = `${unstable}/io.element.msc4195/rtc/livekit`
type Person = Awaited<ReturnType<TestServer['register']>>

const hashed = (parts: readonly string[]) => hash('sha256', JSON.stringify(parts), 'base64').replace(/=+$/, '')

/** Alice and mallory, and a room of alice. */
async function meeting(open: OpenDatabase, t: TestContext) {
  const sfu = standInSfu()
  const config = { rtc: { transports: [], livekit: sfu.settings } }
  const server = await testServer(open, config, { transport: sfu.transport })
  t.after(() => server.close())
  const [alice, mallory] = [await server.register('alice'), await server.register('mallory')]
  const { body } = await server.call('POST', `${v3}/createRoom`, { token: alice.token, body: {} })
  const roomId = String(body['room_id'])
  const post = (who: Person | undefined, path: string, content: JsonObject) =>
    server.call('POST', path, { ...(who ? { token: who.token } : {}), body: content })
  const openId = async (who: Person) => {
    const answer = await post(who, `${v3}/user/${who.userId}/openid/request_token`, {})
    return answer.body as JsonObject
  }
  const schedule = async (who: Person, delayMs: number) => {
    const path = `${v3}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${delayMs}`
    const answer = await server.call('PUT', `${path}?org.matrix.msc4140.delay=${delayMs}`, {
      token: who.token,
      body: { msgtype: 'm.text', body: 'left' },
    })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return String(answer.body['delay_id'])
  }
  const lastBody = async () => {
    await server.workers.delayedEvents.settled()
    await server.workers.delegatedLeaves?.settled()
    const path = `${v3}/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=1`
    const { chunk } = (await server.call('GET', path, { token: alice.token })).body as { chunk: JsonObject[] }
    return (chunk[0]!['content'] as JsonObject)['body']
  }
  /** Lets time pass in steps, as the server looks every few seconds. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 5_000) {
      server.rt.clock.advance(5_000)
      await server.workers.delegatedLeaves?.settled()
    }
  }
  return { sfu, server, alice, mallory, roomId, post, openId, schedule, lastBody, pass }
}

onEveryDatabase('calls over LiveKit', (open) => {
  test('have a transport that clients find by the endpoint and by the well-known document', async (t) => {
    const { server, alice } = await meeting(open, t)
    const path = `${unstable}/org.matrix.msc4143/rtc/transports`
    const transport = {
      type: 'livekit',
      url: 'wss://sfu.test',
      livekit_service_url: 'https://one.test/_myelin/livekit',
    }
    assert.deepEqual((await server.call('GET', path, { token: alice.token })).body, { rtc_transports: [transport] })
    assert.equal((await server.call('GET', path)).body['errcode'], 'M_MISSING_TOKEN')
    const known = (await server.call('GET', '/.well-known/matrix/client')).body
    assert.deepEqual(known['org.matrix.msc4143.rtc_foci'], [transport])
  })

  test('are entered with a token for the room of the slot and the identity of the member', async (t) => {
    const { sfu, alice, roomId, post, server } = await meeting(open, t)
    const url = sfu.settings.url
    const forms: readonly JsonObject[] = [
      { member: { id: 'm1', claimed_device_id: alice.deviceId } },
      { member_id: 'm1' },
    ]
    const room = hashed([roomId, 'm.call#ROOM'])
    for (const form of forms) {
      const { status, body } = await post(alice, `${msc4195}/get_token`, {
        url,
        room_id: roomId,
        slot_id: 'm.call#ROOM',
        ...form,
      })
      assert.equal(status, 200, JSON.stringify(body))
      const { iss, sub, nbf, exp, video } = sfu.claimsOf(body['jwt'])
      const now = Math.floor(server.rt.clock.now() / 1000)
      assert.deepEqual([iss, sub, nbf, exp], ['key', hashed([alice.userId, alice.deviceId, 'm1']), now, now + 3600])
      assert.deepEqual(video, {
        roomJoin: true,
        room,
        canPublish: true,
        canSubscribe: true,
        canUpdateOwnMetadata: true,
      })
    }
    assert.deepEqual(sfu.rooms, [room, room])
  })

  test('refuse a token to others, for other SFUs, and without the SFU', async (t) => {
    const { sfu, alice, mallory, roomId, post } = await meeting(open, t)
    const place = { url: sfu.settings.url, room_id: roomId, slot_id: 's', member: { id: 'm1' } }
    const refused = async (who: Person, body: JsonObject) => {
      const answer = await post(who, `${msc4195}/get_token`, body)
      return [answer.status, answer.body['errcode']]
    }
    assert.deepEqual(await refused(mallory, place), [403, 'M_FORBIDDEN'])
    assert.deepEqual(await refused(alice, { ...place, url: 'wss://other.test' }), [400, 'M_INVALID_PARAM'])
    assert.deepEqual(await refused(alice, { ...place, member: {} }), [400, 'M_MISSING_PARAM'])
    const { member: _member, ...withoutMember } = place
    assert.deepEqual(await refused(alice, withoutMember), [400, 'M_BAD_JSON'])
    assert.deepEqual(sfu.rooms, [])
    sfu.setDown(true)
    assert.deepEqual(await refused(alice, place), [502, 'M_UNKNOWN'])
  })

  test('are entered by clients of a token service too, by their OpenID token', async (t) => {
    const { sfu, alice, mallory, roomId, post, openId } = await meeting(open, t)
    const old = await post(undefined, '/_myelin/livekit/sfu/get', {
      room: roomId,
      device_id: 'PHONE',
      openid_token: await openId(alice),
    })
    assert.deepEqual([old.status, old.body['url']], [200, 'wss://sfu.test'])
    assert.equal(old.headers['access-control-allow-origin'], '*')
    assert.equal(sfu.claimsOf(old.body['jwt'])['sub'], `${alice.userId}:PHONE`)
    assert.equal((sfu.claimsOf(old.body['jwt'])['video'] as JsonObject)['room'], hashed([roomId, 'm.call#ROOM']))
    const member = { id: 'm1', claimed_user_id: alice.userId, claimed_device_id: 'PHONE' }
    const ask = async (who: Person, claimed = member) =>
      post(undefined, '/_myelin/livekit/get_token', {
        room_id: roomId,
        slot_id: 'slot',
        member: claimed,
        openid_token: await openId(who),
      })
    const now = await ask(alice)
    assert.equal(sfu.claimsOf(now.body['jwt'])['sub'], hashed([alice.userId, 'PHONE', 'm1']))
    assert.deepEqual([(await ask(mallory)).status, (await ask(mallory)).body['errcode']], [401, 'M_UNAUTHORIZED'])
    const own = { ...member, claimed_user_id: mallory.userId }
    assert.deepEqual(
      [(await ask(mallory, own)).status, (await ask(mallory, own)).body['errcode']],
      [403, 'M_FORBIDDEN'],
    )
    const forged = await post(undefined, '/_myelin/livekit/sfu/get', {
      room: roomId,
      device_id: 'PHONE',
      openid_token: { access_token: 'forged', matrix_server_name: 'one.test' },
    })
    assert.deepEqual([forged.status, forged.body['errcode']], [401, 'M_UNAUTHORIZED'])
    const nameless = await post(undefined, '/_myelin/livekit/sfu/get', {
      room: roomId,
      device_id: 'PHONE',
      openid_token: { access_token: 'forged', matrix_server_name: 'no name/at all' },
    })
    assert.deepEqual([nameless.status, nameless.body['errcode']], [401, 'M_UNAUTHORIZED'])
    const elsewhere = { url: 'wss://sfu.test', room_id: roomId, slot_id: 's', member: { id: 'm1' } }
    const asked = await post(alice, `${msc4195}/get_token`, { ...elsewhere, server_name: 'no name/at all' })
    assert.deepEqual([asked.status, asked.body['errcode']], [400, 'M_INVALID_PARAM'])
  })

  test('are answered 404 where the server has no SFU, and no other server is asked who the user is', async (t) => {
    const asked: string[] = []
    const send = async ({ destination }: { readonly destination: string }) => {
      asked.push(destination)
      throw new RemoteError('unreachable', `no way leads to ${destination}`)
    }
    const server = await testServer(open, {}, { transport: { send, close: async () => {} } })
    t.after(() => server.close())
    const openIdToken = { access_token: 'token', matrix_server_name: 'two.test' }
    const member = { id: 'm', claimed_user_id: '@bob:two.test', claimed_device_id: 'D' }
    const bodies: Readonly<Record<string, JsonObject>> = {
      'sfu/get': { room: '!room', device_id: 'D' },
      get_token: { room_id: '!room', slot_id: 's', member },
      delegate_delayed_leave: { room_id: '!room', slot_id: 's', member, delay_id: 'd' },
    }
    for (const [path, body] of Object.entries(bodies)) {
      const answer = await server.call('POST', `/_myelin/livekit/${path}`, {
        body: { ...body, openid_token: openIdToken },
      })
      assert.deepEqual([answer.status, answer.body['errcode']], [404, 'M_NOT_FOUND'])
    }
    assert.deepEqual(asked, [])
  })

  test('send the leave of a participant that the SFU no longer sees, and hold it back until then', async (t) => {
    const { sfu, alice, roomId, post, schedule, lastBody, pass } = await meeting(open, t)
    const delayId = await schedule(alice, 3_600_000)
    const place = { url: sfu.settings.url, room_id: roomId, slot_id: 's', member: { id: 'm1', claimed_device_id: 'D' } }
    const identity = hashed([alice.userId, 'D', 'm1'])
    sfu.participants.add(identity)
    const given = await post(alice, `${msc4195}/delegate_delayed_leave`, { ...place, delay_id: delayId })
    assert.equal(given.status, 200, JSON.stringify(given.body))
    await pass(3_900_000)
    assert.notEqual(await lastBody(), 'left')
    sfu.setDown(true)
    await pass(60_000)
    sfu.setDown(false)
    assert.notEqual(await lastBody(), 'left')
    sfu.participants.delete(identity)
    await pass(10_000)
    assert.equal(await lastBody(), 'left')
  })

  test('send the leave by its delay where the SFU does not answer, and of one who never connects after a minute', async (t) => {
    const { sfu, alice, roomId, post, schedule, lastBody, pass } = await meeting(open, t)
    const place = { url: sfu.settings.url, room_id: roomId, slot_id: 's', member: { id: 'm1', claimed_device_id: 'D' } }
    const delegate = async (delayId: string) =>
      post(alice, `${msc4195}/delegate_delayed_leave`, { ...place, delay_id: delayId })
    assert.equal((await delegate(await schedule(alice, 3_600_000))).status, 200)
    await pass(55_000)
    assert.notEqual(await lastBody(), 'left')
    await pass(10_000)
    assert.equal(await lastBody(), 'left')
    const short = await delegate(await schedule(alice, 1_000_000))
    assert.deepEqual([short.status, short.body['errcode']], [400, 'M_BAD_JSON'])
    const unknown = await delegate('myd_unknown')
    assert.deepEqual([unknown.status, unknown.body['errcode']], [404, 'M_NOT_FOUND'])
  })

  test('of another server have tokens from that server, for joined users only', async (t) => {
    const sfu = standInSfu()
    const network = await testNetwork({
      servers: 2,
      open,
      config: (name) => (name === 'two.test' ? { rtc: { transports: [], livekit: sfu.settings } } : {}),
    })
    t.after(() => network.close())
    const [one, two] = [network.server('one.test'), network.server('two.test')]
    const [alice, bob, mallory] = [
      await one.register('alice'),
      await two.register('bob'),
      await one.register('mallory'),
    ]
    const made = await two.call('POST', `${v3}/createRoom`, { token: bob.token, body: { preset: 'public_chat' } })
    const roomId = String(made.body['room_id'])
    const joined = await one.call('POST', `${v3}/join/${encodeURIComponent(roomId)}?via=two.test`, {
      token: alice.token,
      body: {},
    })
    assert.equal(joined.status, 200, JSON.stringify(joined.body))
    const ask = (who: Person, url: string) =>
      one.call('POST', `${msc4195}/get_token`, {
        token: who.token,
        body: {
          url,
          room_id: roomId,
          slot_id: 's',
          server_name: 'two.test',
          member: { id: 'm', claimed_device_id: 'D' },
        },
      })
    const got = await ask(alice, sfu.settings.url)
    assert.equal(got.status, 200, JSON.stringify(got.body))
    assert.equal(sfu.claimsOf(got.body['jwt'])['sub'], hashed([alice.userId, 'D', 'm']))
    const codes = async (who: Person, url: string) => {
      const { status, body } = await ask(who, url)
      return [status, body['errcode']]
    }
    assert.deepEqual(await codes(alice, 'wss://other.test'), [400, 'M_INVALID_PARAM'])
    assert.deepEqual(await codes(mallory, sfu.settings.url), [403, 'M_FORBIDDEN'])
    // Nor does a token service open the SFU to a user whose server does not vouch for them.
    const openId = await one.call('POST', `${v3}/user/${mallory.userId}/openid/request_token`, {
      token: mallory.token,
      body: {},
    })
    const service = await two.call('POST', '/_myelin/livekit/sfu/get', {
      body: { room: roomId, device_id: 'D', openid_token: openId.body },
    })
    assert.deepEqual([service.status, service.body['errcode']], [403, 'M_FORBIDDEN'])
  })
})
