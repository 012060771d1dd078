// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { onEveryDatabase } from '../databases.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'

const v3 = '/_matrix/client/v3'
type Person = Awaited<ReturnType<TestServer['register']>>
type Body = Record<string, unknown>
const nextOf = (answer: Body) => String(answer['next_batch'])

onEveryDatabase('an encrypted conversation', (open) => {
  describe('of two people who meet in a room', () => {
    let server: TestServer
    let alice: Person
    let bob: Person
    const call = async (method: string, path: string, { token }: Person, body?: unknown): Promise<Body> => {
      const answer = await server.call(method, `${v3}/${path}`, { token, ...(body === undefined ? {} : { body }) })
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
      return answer.body
    }
    const sync = (who: Person, since?: string) =>
      call('GET', `sync${since === undefined ? '' : `?since=${since}`}`, who)

    before(async () => {
      server = await testServer(open)
      alice = await server.register('alice')
      bob = await server.register('bob')
      const room = await call('POST', 'createRoom', alice, { preset: 'public_chat' })
      await call('POST', `join/${encodeURIComponent(String(room['room_id']))}`, bob, {})
    })
    after(() => server.close())

    test('goes from published keys to a message that arrives once', async () => {
      const before = nextOf(await sync(alice))
      await call('POST', 'keys/upload', bob, {
        device_keys: {
          user_id: bob.userId,
          device_id: bob.deviceId,
          algorithms: ['m.olm.v1.curve25519-aes-sha2'],
          keys: { [`curve25519:${bob.deviceId}`]: 'identity' },
          signatures: {},
        },
        one_time_keys: { 'signed_curve25519:1': { key: 'one', signatures: {} } },
      })

      // Alice hears of it, looks at Bob's devices, and takes one of his keys.
      const heard = await sync(alice, before)
      assert.deepEqual(heard['device_lists'], { changed: [bob.userId], left: [] })
      const queried = await call('POST', 'keys/query', alice, { device_keys: { [bob.userId]: [] } })
      const devices = (queried['device_keys'] as Record<string, Body>)[bob.userId] ?? {}
      assert.deepEqual(Object.keys(devices), [bob.deviceId])
      const request = { one_time_keys: { [bob.userId]: { [bob.deviceId]: 'signed_curve25519' } } }
      const both = await Promise.all([
        call('POST', 'keys/claim', alice, request),
        call('POST', 'keys/claim', alice, request),
      ])
      const given = both.flatMap(({ one_time_keys: keys }) => Object.values(keys as object))
      assert.equal(given.length, 1, 'one key goes to one of two')

      const since = nextOf(await sync(bob))
      const messages = { messages: { [bob.userId]: { '*': { ciphertext: 'hello' } } } }
      for (let attempt = 0; attempt < 2; attempt++)
        await call('PUT', 'sendToDevice/m.room.encrypted/t1', alice, messages)
      const events = [{ type: 'm.room.encrypted', sender: alice.userId, content: { ciphertext: 'hello' } }]
      let next = ''
      for (let attempt = 0; attempt < 2; attempt++) {
        const seen = await sync(bob, since)
        assert.deepEqual(seen['to_device'], { events })
        assert.deepEqual(seen['device_one_time_keys_count'], { signed_curve25519: 0 })
        next = nextOf(seen)
      }
      assert.deepEqual((await sync(bob, next))['to_device'], { events: [] })
      assert.deepEqual((await sync(bob, since))['to_device'], { events: [] }, 'what was acknowledged is gone')
    })

    test('keeps what it needs to be read again', async () => {
      const definition = { algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2', auth_data: { public_key: 'key' } }
      const { version } = await call('POST', 'room_keys/version', bob, definition)
      const key = { first_message_index: 0, forwarded_count: 0, is_verified: true, session_data: { mac: 'x' } }
      const rooms = { '!a:one.test': { sessions: { s: key } } }
      const stored = await call('PUT', `room_keys/keys?version=${String(version)}`, bob, { rooms })
      assert.deepEqual(stored, { etag: '1', count: 1 })
      assert.deepEqual(await call('GET', `room_keys/keys?version=${String(version)}`, bob), { rooms })
      assert.deepEqual(await call('GET', 'room_keys/version', bob), { ...definition, version, ...stored })
    })

    test('ends with the device: its keys cannot be claimed', async () => {
      const before = nextOf(await sync(alice))
      await call('POST', 'logout', bob, {})
      assert.deepEqual((await sync(alice, before))['device_lists'], { changed: [bob.userId], left: [] })
      const queried = await call('POST', 'keys/query', alice, { device_keys: { [bob.userId]: [] } })
      assert.deepEqual(queried['device_keys'], { [bob.userId]: {} })
      const request = { one_time_keys: { [bob.userId]: { [bob.deviceId]: 'signed_curve25519' } } }
      assert.deepEqual((await call('POST', 'keys/claim', alice, request))['one_time_keys'], {})
    })
  })
})
