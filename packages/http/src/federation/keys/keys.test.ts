// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeBase64 } from '@myelin/matrix/base64'
import { isObject, type JsonObject } from '@myelin/matrix/json'
import { signingKeyIds, verifyJson } from '@myelin/matrix/signatures'
import { testNetwork } from '@myelin/testing/network'
import { testConfig, testSigningKey } from '@myelin/testing/runtime'
import { testServer } from '@myelin/testing/server'

const HOUR = 3_600_000

function isSignedBy(document: JsonObject, server: string): boolean {
  return verifyJson(document, server, 'ed25519:test', testSigningKey(server).publicKey)
}

function documentsIn(body: Record<string, unknown>): JsonObject[] {
  const { server_keys: documents } = body
  assert.ok(Array.isArray(documents))
  return documents.filter(isObject)
}

describe('the keys of this server', () => {
  test('are published with signature, expiry and old keys', async () => {
    const old = { keyId: 'ed25519:old', publicKey: encodeBase64(Buffer.alloc(32, 1)), expiredTs: 5 }
    const federation = {
      ...testConfig.federation,
      oldSigningKeys: [old],
      keyRefreshMs: 2 * HOUR,
    }
    const server = await testServer(undefined, { federation })
    for (const path of ['/_matrix/key/v2/server', '/_matrix/key/v2/server/ed25519:test']) {
      const { status, body } = await server.call('GET', path)
      assert.equal(status, 200)
      assert.ok(isSignedBy(body as JsonObject, 'one.test'))
      assert.deepEqual(body['old_verify_keys'], { 'ed25519:old': { key: old.publicKey, expired_ts: 5 } })
      assert.deepEqual(Object.keys(body['verify_keys'] as object), ['ed25519:test'])
      assert.equal(body['valid_until_ts'], server.rt.clock.now() + 2 * HOUR)
    }
    await server.close()
  })
})

describe('this server as a notary', () => {
  test('countersigns the keys of another server, and serves them when that server is down', async () => {
    const network = await testNetwork({ servers: 2 })
    const one = network.server('one.test')
    for (const isCut of [false, true]) {
      if (isCut) network.partition(['one.test'], ['two.test'])
      const { status, body } = await one.call('GET', '/_matrix/key/v2/query/two.test')
      assert.equal(status, 200)
      const [document, ...more] = documentsIn(body)
      assert.ok(document && isSignedBy(document, 'one.test') && isSignedBy(document, 'two.test'))
      assert.equal(more.length, 0)
    }
    assert.equal(network.crossings.length, 1)
    await network.close()
  })

  test('serves the keys of several servers, itself included, without unreachable ones', async () => {
    const network = await testNetwork({ servers: 3 })
    const servers = { 'one.test': {}, 'two.test': { 'ed25519:test': { minimum_valid_until_ts: 5 } }, 'gone.test': {} }
    const { body } = await network
      .server('one.test')
      .call('POST', '/_matrix/key/v2/query', { body: { server_keys: servers } })
    const documents = documentsIn(body)
    assert.deepEqual(
      documents.map((document) => document['server_name']),
      ['one.test', 'two.test'],
    )
    assert.deepEqual(
      documents.map((document) => signingKeyIds(document, 'one.test')),
      [['ed25519:test'], ['ed25519:test']],
    )
    await network.close()
  })

  test('fetches keys again after half of their validity', async () => {
    const network = await testNetwork({ servers: 2 })
    const one = network.server('one.test')
    const count = async (): Promise<number> => {
      await one.call('GET', '/_matrix/key/v2/query/two.test')
      return network.crossings.length
    }
    assert.equal(await count(), 1)
    network.clock.jump(11 * HOUR)
    assert.equal(await count(), 1)
    network.clock.jump(2 * HOUR)
    assert.equal(await count(), 2)
    await network.close()
  })

  test('fetches keys again where its copy expires before the requested time', async () => {
    const network = await testNetwork({ servers: 2 })
    const one = network.server('one.test')
    await one.call('GET', '/_matrix/key/v2/query/two.test')
    network.clock.jump(HOUR)
    const until = network.clock.now() + 24 * HOUR
    const { body } = await one.call('GET', `/_matrix/key/v2/query/two.test?minimum_valid_until_ts=${until}`)
    assert.deepEqual(
      documentsIn(body).map((document) => document['valid_until_ts']),
      [until],
    )
    await network.close()
  })

  test('asks the server about a key it does not hold, and repeats no expired answer without it', async () => {
    const network = await testNetwork({ servers: 2 })
    const one = network.server('one.test')
    const ask = async (keyId: string) => {
      const { body } = await one.call('GET', `/_matrix/key/v2/query/two.test/${encodeURIComponent(keyId)}`)
      return documentsIn(body).map((document) => document['valid_until_ts'])
    }
    const [first] = await ask('ed25519:test')
    assert.deepEqual(await ask('ed25519:unknown'), [first], 'the answer of now says that there is no such key')
    assert.equal(network.crossings.length, 2)
    network.clock.jump(48 * HOUR)
    const [second] = await ask('ed25519:unknown')
    assert.equal(second, network.clock.now() + 24 * HOUR)
    network.clock.jump(48 * HOUR)
    network.partition(['one.test'], ['two.test'])
    assert.deepEqual(await ask('ed25519:unknown'), [])
    assert.deepEqual(await ask('ed25519:test'), [second], 'it holds the key')
    await network.close()
  })

  const refused: Record<string, [string, string, unknown, string]> = {
    'a name that is none': ['GET', '/_matrix/key/v2/query/a%2Fb', undefined, 'M_INVALID_PARAM'],
    'a time that is none': [
      'GET',
      '/_matrix/key/v2/query/a.test?minimum_valid_until_ts=x',
      undefined,
      'M_INVALID_PARAM',
    ],
    'no servers': ['POST', '/_matrix/key/v2/query', {}, 'M_MISSING_PARAM'],
    'a list of servers': ['POST', '/_matrix/key/v2/query', { server_keys: [] }, 'M_BAD_JSON'],
    'a server that is none': ['POST', '/_matrix/key/v2/query', { server_keys: { 'a b': {} } }, 'M_BAD_JSON'],
    'keys that are none': ['POST', '/_matrix/key/v2/query', { server_keys: { 'a.test': [] } }, 'M_BAD_JSON'],
    'too many servers': [
      'POST',
      '/_matrix/key/v2/query',
      { server_keys: Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`s${index}.test`, {}])) },
      'M_TOO_LARGE',
    ],
  }
  for (const [name, [method, path, body, code]] of Object.entries(refused)) {
    test(`refuses ${name}`, async () => {
      const server = await testServer()
      const answer = await server.call(method, path, body === undefined ? {} : { body })
      assert.equal(answer.body['errcode'], code)
      await server.close()
    })
  }
})
