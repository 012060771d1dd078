// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { accountOf } from '@myelin/storage/accounts/accounts'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testConfig } from '@myelin/testing/runtime'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

const path = '/_synapse/admin/v1/register'
const mac = (parts: readonly string[]) => createHmac('sha1', 'shared secret').update(parts.join('\0')).digest('hex')

onEveryDatabase('the nonce of a registration by shared secret', (open) => {
  test('is used up by the first try, with a right signature or a wrong one', async () => {
    const server = await testServer(open)
    const nonce = async () => String((await server.call('GET', path)).body['nonce'])
    const post = async (word: string, signed: string) => {
      const body = { nonce: word, username: 'eve', password: 'pw', mac: signed }
      const answer = await server.call('POST', path, { body })
      return [answer.status, answer.body['errcode'], answer.body['error']]
    }
    const unknown = [400, 'M_UNKNOWN', 'unrecognised nonce']
    const guessed = await nonce()
    assert.deepEqual(await post(guessed, 'f'.repeat(40)), [403, 'M_UNKNOWN', 'HMAC incorrect'])
    assert.deepEqual(await post(guessed, mac([guessed, 'eve', 'pw', 'notadmin'])), unknown)
    const [word, other] = [await nonce(), await nonce()]
    const signed = mac([word, 'eve', 'pw', 'notadmin'])
    const tries = await Promise.all(Array.from({ length: 4 }, () => post(word, signed)))
    assert.deepEqual(
      tries.map(([status]) => status).toSorted((a, b) => Number(a) - Number(b)),
      [200, 400, 400, 400],
    )
    assert.notEqual(word, other)
    await server.close()
  })
})

describe('registering by shared secret', () => {
  let server: TestServer
  before(async () => {
    server = await testServer(undefined, { registration: { ...testConfig.registration, isEnabled: false } })
  })
  after(() => server.close())

  const nonce = async () => String((await server.call('GET', path)).body['nonce'])
  const post = (body: object) => server.call('POST', path, { body })

  test('creates an admin while registration is disabled', async () => {
    const word = await nonce()
    const wanted = {
      nonce: word,
      username: 'Root',
      password: 'pw',
      admin: true,
      mac: mac([word, 'Root', 'pw', 'admin']),
    }
    const made = await post(wanted)
    assert.deepEqual([made.status, made.body['user_id']], [200, '@root:one.test'])
    const account = await accountOf(server.rt.db.read, '@root:one.test' as UserId)
    assert.equal(account?.isAdmin, true)
    const again = await nonce()
    const taken = { ...wanted, nonce: again, mac: mac([again, 'Root', 'pw', 'admin']) }
    assert.equal((await post(taken)).body['errcode'], 'M_USER_IN_USE')
  })

  test('includes the user type in the signature where there is one', async () => {
    const word = await nonce()
    const signed = mac([word, 'bot', 'pw', 'notadmin', 'bot'])
    const made = await post({ nonce: word, username: 'bot', password: 'pw', user_type: 'bot', mac: signed })
    assert.equal(made.status, 200)
  })

  test('refuses a wrong signature', async () => {
    const word = await nonce()
    const signed = mac([word, 'eve', 'pw', 'notadmin'])
    const answer = await post({ nonce: word, username: 'eve', password: 'pw', admin: true, mac: signed })
    assert.deepEqual([answer.status, answer.body['errcode']], [403, 'M_UNKNOWN'])
  })

  test('refuses an expired or unknown nonce', async () => {
    const word = await nonce()
    for (const given of [word.slice(0, -1) + (word.endsWith('0') ? '1' : '0'), 'f'.repeat(44), '', word]) {
      if (given === word) server.rt.clock.advance(60_001)
      const body = { nonce: given, username: 'eve', password: 'pw', mac: mac([given, 'eve', 'pw', 'notadmin']) }
      assert.equal((await post(body)).status, 400)
    }
  })

  test('refuses missing and invalid members', async () => {
    assert.equal((await post({ nonce: await nonce() })).body['errcode'], 'M_MISSING_PARAM')
    const word = await nonce()
    const body = { nonce: word, username: 'a\0b', password: 'pw', mac: mac([word, 'a', 'b', 'pw', 'notadmin']) }
    assert.equal((await post(body)).body['errcode'], 'M_INVALID_PARAM')
  })

  test('is not available without a shared secret', async () => {
    const closed = await testServer(undefined, {
      registration: { ...testConfig.registration, sharedSecret: undefined },
    })
    assert.equal((await closed.call('GET', path)).status, 400)
    await closed.close()
  })
})
