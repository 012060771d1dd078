// SPDX-License-Identifier: Apache-2.0
import { testConfig, testPolicyKey } from '@myelin/testing/runtime'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { encodeBase64 } from '@myelin/matrix/base64'

describe('discovery by a client', () => {
  let server: TestServer
  before(async () => void (server = await testServer()))
  after(() => server.close())

  test('returns every version of the spec, also with an invalid token', async () => {
    const { status, body } = await server.call('GET', '/_matrix/client/versions', { token: 'nonsense' })
    const versions = body['versions'] as string[]
    assert.equal(status, 200)
    for (const version of ['r0.6.1', 'v1.1', 'v1.4', 'v1.19']) assert.ok(versions.includes(version), version)
    assert.ok(Object.values(body['unstable_features'] as object).every((value) => value === true))
  })

  test('returns the capabilities of the requester', async () => {
    const path = '/_matrix/client/v3/capabilities'
    const { token } = await server.register('alice')
    const { body } = await server.call('GET', path, { token })
    const capabilities = body['capabilities'] as Record<string, { default?: string; available?: object }>
    const { default: standard, available } = capabilities['m.room_versions'] ?? {}
    assert.equal(standard, '12')
    assert.deepEqual(Object.keys(available ?? {}).length, 12)
    assert.deepEqual(capabilities['m.change_password'], { enabled: true })
    assert.equal('m.account_moderation' in capabilities, false)
    assert.equal((await server.call('GET', path)).body['errcode'], 'M_MISSING_TOKEN')
  })

  test('returns the address of the server', async () => {
    const { status, body, headers } = await server.call('GET', '/.well-known/matrix/client')
    assert.deepEqual([status, body], [200, { 'm.homeserver': { base_url: 'https://one.test/' } }])
    assert.equal(headers['access-control-allow-origin'], '*')
  })

  test('finds no document that is not configured', async () => {
    for (const name of ['server', 'support', 'policy_server']) {
      const { status, body } = await server.call('GET', `/.well-known/matrix/${name}`)
      assert.deepEqual([status, body['errcode']], [404, 'M_NOT_FOUND'])
    }
  })
})

describe('a configured document', () => {
  const contacts = [
    ['mailto:admin@one.test', { contacts: [{ role: 'm.role.admin', email_address: 'admin@one.test' }] }],
    ['@admin:one.test', { contacts: [{ role: 'm.role.admin', matrix_id: '@admin:one.test' }] }],
    ['https://one.test/help', { support_page: 'https://one.test/help' }],
  ] as const
  for (const [adminContact, expected] of contacts) {
    test(`has the contact ${adminContact} in the format of the spec`, async () => {
      const server = await testServer(undefined, { adminContact })
      assert.deepEqual((await server.call('GET', '/.well-known/matrix/support')).body, expected)
      await server.close()
    })
  }

  test('has the server address, the policy server keys and extra content for clients', async () => {
    const extraClientContent = { 'org.example.extra': { a: 1 } }
    const server = await testServer(undefined, {
      wellKnown: { servesServer: true, servesClient: true, extraClientContent, policyServerKeys: { ed25519: 'abc' } },
    })
    const policy = await server.call('GET', '/.well-known/matrix/policy_server')
    assert.deepEqual(policy.body, { public_keys: { ed25519: 'abc' } })
    assert.deepEqual((await server.call('GET', '/.well-known/matrix/server')).body, { 'm.server': 'one.test:443' })
    const { body } = await server.call('GET', '/.well-known/matrix/client')
    assert.deepEqual(body, { 'm.homeserver': { base_url: 'https://one.test/' }, ...extraClientContent })
    await server.close()
  })

  test('has the own policy server key by default', async () => {
    const policyServer = { ...testConfig.policyServer, isEnabled: true }
    const server = await testServer(undefined, { policyServer })
    const ed25519 = encodeBase64(testPolicyKey('one.test').publicKey)
    const { body } = await server.call('GET', '/.well-known/matrix/policy_server')
    assert.deepEqual(body, { public_keys: { ed25519 } })
    assert.notEqual(ed25519, encodeBase64(server.rt.signingKey.publicKey))
    await server.close()
  })
})
