// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { MatrixError } from '@myelin/matrix/errors'
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { signBytes, type SigningKey, signingKeyFromSeed } from '@myelin/matrix/signatures'
import { requestForm } from '@myelin/remote/federation'
import { testNetwork } from '@myelin/testing/network'
import { testSigningKey } from '@myelin/testing/runtime'
import { authenticateServer } from './authenticate-server.ts'

const TARGET = '/_matrix/federation/v1/send/1?a=%21b'

/** A request that two.test signed for one.test, but for what is said. */
function signed(
  change: {
    uri?: string
    method?: string
    origin?: string
    signedFor?: string
    content?: JsonObject | undefined
    key?: SigningKey
    keyId?: string
    header?: (parameters: Readonly<Record<string, string>>) => string
  } = {},
) {
  const {
    uri = TARGET,
    method = 'PUT',
    origin = 'two.test',
    signedFor = 'one.test',
    key = testSigningKey(origin),
  } = change
  const text = requestForm({ method, uri, origin, destination: signedFor, content: change.content })
  const parameters = { origin, destination: signedFor, key: change.keyId ?? key.id, sig: signBytes(text, key) }
  const header = change.header ?? quoted
  return { method: 'PUT', target: TARGET, authorization: [header(parameters)], body: undefined }
}

function quoted(parameters: Readonly<Record<string, string>>): string {
  return `X-Matrix ${Object.entries(parameters)
    .map(([name, value]) => `${name}="${value}"`)
    .join(',')}`
}

async function withNetwork(run: (network: Awaited<ReturnType<typeof testNetwork>>) => Promise<void>): Promise<void> {
  const network = await testNetwork({ servers: 3 })
  try {
    await run(network)
  } finally {
    await network.close()
  }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    return `accepted as ${String(await work)}`
  } catch (error) {
    if (!(error instanceof MatrixError)) throw error
    return `${error.status} ${error.code}`
  }
}

describe('a request of another server', () => {
  test('is believed when its signature verifies, and its key is fetched once', () =>
    withNetwork(async ({ server, crossings }) => {
      const { rt } = server('one.test')
      assert.equal(await authenticateServer(rt, signed()), 'two.test')
      assert.equal(await authenticateServer(rt, { ...signed({ content: { a: 1 } }), body: '{ "a": 1 }' }), 'two.test')
      const asked = crossings.map(({ from, to, target }) => `${from} ${to} ${target}`)
      assert.deepEqual(asked, ['one.test two.test /_matrix/key/v2/server'])
    }))

  const spellings: Record<string, (parameters: Readonly<Record<string, string>>) => string> = {
    'without quotes, colons and all': (parameters) => quoted(parameters).replaceAll('"', ''),
    'with names in capitals and space around commas': (parameters) =>
      quoted(parameters).replaceAll(',', ' ,\t').replace('origin', 'ORIGIN').replace('X-Matrix', 'x-matrix'),
    'without a destination': ({ destination: _said, ...parameters }) => quoted(parameters),
    'with an unknown parameter': (parameters) => `${quoted(parameters)},more="of, this"`,
    'with escapes': (parameters) => quoted(parameters).replace('two.test', String.raw`t\wo.test`),
  }
  for (const [name, header] of Object.entries(spellings)) {
    test(`is understood ${name}`, () =>
      withNetwork(async ({ server }) => {
        assert.equal(await authenticateServer(server('one.test').rt, signed({ header })), 'two.test')
      }))
  }

  test('is believed when one of two headers of its origin verifies', () =>
    withNetwork(async ({ server }) => {
      const other = signed({ key: signingKeyFromSeed('next', Buffer.alloc(32, 1)) })
      const both = { ...signed(), authorization: [...other.authorization, ...signed().authorization] }
      assert.equal(await authenticateServer(server('one.test').rt, both), 'two.test')
    }))

  const refusals: Record<string, ReturnType<typeof signed>> = {
    'no header': { ...signed(), authorization: [] },
    'an access token': { ...signed(), authorization: ['Bearer abc'] },
    'a header that stops in the middle': { ...signed(), authorization: ['X-Matrix origin="two.test'] },
    'a parameter that stands twice': signed({ header: (parameters) => `${quoted(parameters)},origin="two.test"` }),
    'no signature': signed({ header: ({ sig: _said, ...parameters }) => quoted(parameters) }),
    'an empty signature': signed({ header: (parameters) => quoted({ ...parameters, sig: '' }) }),
    'another destination': signed({ signedFor: 'three.test' }),
    'a signature replayed from another destination': signed({
      signedFor: 'three.test',
      header: (parameters) => quoted({ ...parameters, destination: 'one.test' }),
    }),
    'a signature replayed without its destination': signed({
      signedFor: 'three.test',
      header: ({ destination: _said, ...parameters }) => quoted(parameters),
    }),
    'a signature for another path': signed({ uri: '/_matrix/federation/v1/send/2' }),
    'a signature for the path as somebody normalized it': signed({ uri: '/_matrix/federation/v1/send/1?a=!b' }),
    'a signature for another method': signed({ method: 'GET' }),
    'a signature that covers a body that was not sent': signed({ content: {} }),
    'a body that no signature covers': { ...signed(), body: '{}' } as never,
    'a key another server has': signed({ key: testSigningKey('three.test') }),
    'a key ID nobody knows': signed({ keyId: 'ed25519:other' }),
    'a key of another algorithm': signed({ keyId: 'rsa:test' }),
    'our own name': signed({ origin: 'one.test' }),
    'a server that does not exist': signed({ origin: 'nowhere.test' }),
    'a name that is none': signed({ origin: 'two.test/path' }),
    'too many headers': {
      ...signed(),
      authorization: Array.from({ length: 9 }, () => signed().authorization[0] ?? ''),
    },
    'headers of two origins': {
      ...signed(),
      authorization: [...signed().authorization, ...signed({ origin: 'three.test' }).authorization],
    },
  }
  for (const [name, request] of Object.entries(refusals)) {
    test(`is refused with ${name}`, () =>
      withNetwork(async ({ server }) => {
        assert.equal(await codeOf(authenticateServer(server('one.test').rt, request)), '401 M_UNAUTHORIZED')
      }))
  }

  test('is refused with 403 from a server the admin does not want', async () => {
    const network = await testNetwork({ servers: 2 })
    const { rt: open } = network.server('one.test')
    const federation = { ...open.config.federation, deniedServers: ['two.test'] }
    const rt = { ...open, config: { ...open.config, federation } }
    assert.equal(await codeOf(authenticateServer(rt, signed())), '403 M_FORBIDDEN')
    await network.close()
  })

  test('is refused once the key is no longer valid and its server is gone', () =>
    withNetwork(async (network) => {
      const { rt } = network.server('one.test')
      assert.equal(await authenticateServer(rt, signed()), 'two.test')
      network.partition(['one.test'], ['two.test' as ServerName])
      network.clock.jump(8 * 86_400_000)
      assert.equal(await codeOf(authenticateServer(rt, signed())), '401 M_UNAUTHORIZED')
    }))
})
