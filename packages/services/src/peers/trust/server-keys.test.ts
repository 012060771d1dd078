// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeBase64 } from '@myelin/matrix/base64'
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { signJson, signingKeyFromSeed } from '@myelin/matrix/signatures'
import { testConfig, testRuntime, testSigningKey } from '@myelin/testing/runtime'
import { keyDocument } from '@myelin/testing/fake-servers/honest-answers'
import type { Answering } from '@myelin/testing/fake-servers/fake-servers'
import { InProcessServers } from '@myelin/testing/fake-servers/in-process-servers'
import { loadServerKeys } from './server-keys.ts'

const NOW = 1_700_000_000_000
const DAY = 86_400_000
const far = 'far.test' as ServerName
const next = signingKeyFromSeed('next', Buffer.alloc(32, 9))
const wanted = { server: far, keyId: 'ed25519:test', validAt: NOW }
const keyBytes = encodeBase64(testSigningKey(far).publicKey)

interface Scene {
  readonly servers: InProcessServers
  readonly rt: Awaited<ReturnType<typeof testRuntime>>
  /** The key in Base64 as it was found, or nothing. */
  readonly find: (want?: Partial<typeof wanted>) => Promise<string | undefined>
}

async function scene(play: (scene: Scene) => Promise<void>, notaries: readonly string[] = []): Promise<void> {
  const servers = new InProcessServers()
  const keyServers = notaries.map((serverName) => ({ serverName, verifyKeys: undefined }))
  const config = { federation: { ...testConfig.federation, keyServers } }
  const rt = await testRuntime(undefined, config, { transport: servers })
  const find = async (want: Partial<typeof wanted> = {}): Promise<string | undefined> => {
    const one = { ...wanted, ...want }
    const key = (await loadServerKeys(rt, [one])).keyFor(one.server, one.keyId, one.validAt)
    return key && encodeBase64(key)
  }
  await play({ servers, rt, find })
  await rt.close()
}

const honest =
  (validUntilTs = NOW + DAY): Answering =>
  () =>
    keyDocument(far, { validUntilTs })

describe('a server key', () => {
  test('is fetched from its server and then known, also once the server is gone', () =>
    scene(async ({ servers, find }) => {
      servers.set(far, honest())
      assert.equal(await find(), keyBytes)
      servers.set(far, undefined)
      assert.equal(await find(), keyBytes)
      assert.equal(servers.asked.length, 1)
      assert.equal(servers.asked[0]?.headers['authorization'], undefined)
    }))

  test('is good up to the end of its validity, and for events of any time where that does not matter', () =>
    scene(async ({ servers, find }) => {
      servers.set(far, honest(NOW + 1000))
      assert.equal(await find({ validAt: NOW + 1000 }), keyBytes)
      assert.equal(await find({ validAt: NOW + 1001 }), undefined)
      assert.equal(await find({ validAt: 0 }), keyBytes)
    }))

  test('is good for seven days at most, whatever its server says', () =>
    scene(async ({ servers, find }) => {
      servers.set(far, honest(NOW + 4000 * DAY))
      assert.equal(await find({ validAt: NOW + 7 * DAY }), keyBytes)
      assert.equal(await find({ validAt: NOW + 7 * DAY + 1 }), undefined)
    }))

  test('is asked for again once it is no longer valid', () =>
    scene(async ({ servers, rt, find }) => {
      servers.set(far, () => keyDocument(far, { validUntilTs: rt.clock.now() + DAY }))
      await find()
      rt.clock.advance(2 * DAY)
      assert.equal(await find({ validAt: rt.clock.now() }), keyBytes)
      assert.equal(servers.asked.length, 2)
    }))

  test('that was changed while we held the former one is found, and the former is good for what it signed', () =>
    scene(async ({ servers, find }) => {
      servers.set(far, honest())
      await find()
      servers.set(far, () =>
        keyDocument(far, { key: next, old: [[testSigningKey(far), NOW - 1000]], validUntilTs: NOW + DAY }),
      )
      assert.equal(await find({ keyId: next.id }), encodeBase64(next.publicKey))
      assert.equal(await find({ validAt: NOW - 1001 }), keyBytes)
      assert.equal(await find({ validAt: NOW - 1000 }), undefined)
      assert.equal(await find({ validAt: NOW }), undefined)
    }))

  test('is asked for once by many at a time', () =>
    scene(async ({ servers, find }) => {
      servers.set(far, honest())
      assert.deepEqual(new Set(await Promise.all([find(), find(), find()])), new Set([keyBytes]))
      assert.equal(servers.asked.length, 1)
    }))

  test('that no server has cause a bounded number of requests', () =>
    scene(async ({ servers, find }) => {
      servers.set(far, honest())
      for (let count = 0; count < 50; count++) assert.equal(await find({ keyId: `ed25519:${count}` }), undefined)
      assert.ok(servers.asked.length <= 6)
    }))

  test('of a server that is gone is asked for seldom, and again later', () =>
    scene(async ({ servers, rt, find }) => {
      for (let count = 0; count < 5; count++) await find()
      assert.equal(servers.asked.length, 1)
      servers.set(far, () => keyDocument(far, { validUntilTs: rt.clock.now() + DAY }))
      rt.clock.advance(30_000)
      assert.equal(await find({ validAt: rt.clock.now() }), keyBytes)
    }))

  test('of ourselves is known without asking', () =>
    scene(async ({ rt, servers }) => {
      const ring = await loadServerKeys(rt, [{ server: rt.serverName, keyId: rt.signingKey.id, validAt: NOW }])
      assert.deepEqual(ring.keyFor(rt.serverName, rt.signingKey.id, NOW), rt.signingKey.publicKey)
      assert.equal(servers.asked.length, 0)
    }))
})

describe('a server key is not believed where the document', () => {
  const good = keyDocument(far, { validUntilTs: NOW + DAY })
  const resigned = (more: JsonObject): JsonObject => keyDocument(far, { validUntilTs: NOW + DAY, more })
  const many = Array.from({ length: 5000 }, (_, index) => [`ed25519:k${index}`, { key: keyBytes, expired_ts: 1 }])
  const hostile: Record<string, JsonObject | string> = {
    'has no signature': { ...good, signatures: {} },
    'has signatures that are none': { ...good, signatures: { [far]: { 'ed25519:test': 5 } } },
    'was changed after it was signed': { ...good, valid_until_ts: NOW + 2 * DAY },
    'is signed with another key': signJson({ ...good, signatures: {} }, far, next),
    'is of another server': keyDocument('other.test', { validUntilTs: NOW + DAY }),
    'is of another server, signed as ours': resigned({ server_name: 'other.test' }),
    'names no server': resigned({ server_name: 5 }),
    'has a key more that did not sign': resigned({
      verify_keys: { 'ed25519:test': { key: keyBytes }, [next.id]: { key: encodeBase64(next.publicKey) } },
    }),
    'has a key whose other half everybody knows': resigned({
      verify_keys: { 'ed25519:test': { key: 'l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og' } },
    }),
    'has no keys': resigned({ verify_keys: {} }),
    'has a list of keys': resigned({ verify_keys: [] }),
    'has keys that are none': resigned({ verify_keys: { 'ed25519:test': { key: 'AAAA' } } }),
    'says no time': resigned({ valid_until_ts: 'tomorrow' }),
    'says a time that is a fraction': { ...good, valid_until_ts: NOW + 0.5 },
    'has thousands of keys': resigned({ old_verify_keys: Object.fromEntries(many) as JsonObject }),
    'is very long': resigned({ more: 'x'.repeat(100_000) }),
    'is longer than we read': resigned({ more: 'x'.repeat(400_000) }),
    'is not JSON': '<html>',
    'is a list': '[]',
    'has a key twice': JSON.stringify(good).replace('{', `{"server_name":"far.test",`),
  }
  for (const [name, document] of Object.entries(hostile)) {
    test(name, () =>
      scene(async ({ servers, find }) => {
        servers.set(far, () => document)
        assert.equal(await find(), undefined)
      }),
    )
  }

  test('would be good, but for one thing', () =>
    scene(async ({ servers, find }) => {
      servers.set(far, () => resigned({ more: 'x' }))
      assert.equal(await find(), keyBytes)
    }))
})

const notary = 'notary.test'
/** A notary that vouches for these documents. */
function vouching(documents: readonly JsonObject[], key = testSigningKey(notary)): Answering {
  return ({ target }) =>
    target.endsWith('/server')
      ? keyDocument(notary, { validUntilTs: NOW + DAY })
      : { server_keys: documents.map((document) => signJson(document, notary, key)) }
}

describe('a notary', () => {
  const good = keyDocument(far, { validUntilTs: NOW + DAY })

  test('is believed about a server that is gone', () =>
    scene(
      async ({ servers, find }) => {
        servers.set(notary, vouching([good]))
        assert.equal(await find(), keyBytes)
      },
      [notary],
    ))

  test('is asked for its own key once, however many servers it is asked about', () =>
    scene(
      async ({ servers, find }) => {
        const names = Array.from({ length: 20 }, (_, index) => `s${index}.test` as ServerName)
        servers.set(notary, vouching(names.map((name) => keyDocument(name, { validUntilTs: NOW + DAY }))))
        for (const server of names) assert.ok(await find({ server }))
        assert.equal(
          servers.asked.filter(({ target, destination }) => destination === notary && target.endsWith('/server'))
            .length,
          1,
        )
      },
      [notary],
    ))

  test('is not asked without end about one server', () =>
    scene(
      async ({ servers, find }) => {
        servers.set(notary, vouching([]))
        for (let count = 0; count < 30; count++) await find()
        assert.ok(servers.asked.filter(({ target }) => target.endsWith('/query')).length <= 6)
      },
      [notary],
    ))

  test('is asked after another that is gone', () =>
    scene(
      async ({ servers, find }) => {
        servers.set(notary, vouching([good]))
        assert.equal(await find(), keyBytes)
      },
      ['dead.test', notary],
    ))

  test('is asked once about many servers, and before them', () =>
    scene(
      async ({ servers, rt }) => {
        const names = Array.from({ length: 40 }, (_, index) => `s${index}.test` as ServerName)
        servers.set(notary, vouching(names.map((name) => keyDocument(name, { validUntilTs: NOW + DAY }))))
        const ring = await loadServerKeys(
          rt,
          names.map((server) => ({ ...wanted, server })),
        )
        assert.ok(names.every((name) => ring.keyFor(name, 'ed25519:test', NOW)))
        assert.deepEqual(
          servers.asked.map(({ target }) => target),
          ['/_matrix/key/v2/server', '/_matrix/key/v2/query'],
        )
      },
      [notary],
    ))

  const lies: Record<string, Answering> = {
    'puts another key into the document': vouching([
      { ...good, verify_keys: { 'ed25519:test': { key: encodeBase64(next.publicKey) } } },
    ]),
    'does not sign with its own key': vouching([good], signingKeyFromSeed('test', Buffer.alloc(32, 3))),
    'signs with a key it does not publish': vouching([good], next),
    'answers no list': ({ target }) =>
      target.endsWith('/server') ? keyDocument(notary, { validUntilTs: NOW + DAY }) : { server_keys: {} },
    'answers lists in a list': ({ target }) =>
      target.endsWith('/server') ? keyDocument(notary, { validUntilTs: NOW + DAY }) : { server_keys: [[], null, 5] },
  }
  for (const [name, answering] of Object.entries(lies)) {
    test(`is not believed where it ${name}`, () =>
      scene(
        async ({ servers, find }) => {
          servers.set(notary, answering)
          assert.equal(await find(), undefined)
        },
        [notary],
      ))
  }

  test('contains nothing about servers that were not requested', () =>
    scene(
      async ({ servers, find }) => {
        servers.set(notary, vouching([good, keyDocument('other.test', { validUntilTs: NOW + DAY })]))
        await find()
        servers.set(notary, undefined)
        assert.equal(await find({ server: 'other.test' as ServerName }), undefined)
      },
      [notary],
    ))

  test('that has not heard of it does not bring back a key its server retired', () =>
    scene(
      async ({ servers, find }) => {
        servers.set(far, () =>
          keyDocument(far, { key: next, old: [[testSigningKey(far), NOW - 5]], validUntilTs: NOW + DAY }),
        )
        await find({ keyId: next.id })
        servers.set(far, undefined)
        servers.set(notary, vouching([good]))
        await find({ keyId: 'ed25519:third' })
        assert.equal(await find(), undefined)
        assert.equal(await find({ validAt: NOW - 6 }), keyBytes)
      },
      [notary],
    ))

  test('must sign with the key the admin wrote down', () =>
    scene(async ({ servers, rt }) => {
      servers.set(notary, vouching([good]))
      for (const [encoded, isFound] of [
        [encodeBase64(next.publicKey), false],
        [encodeBase64(testSigningKey(notary).publicKey), true],
      ] as const) {
        const keyServers = [{ serverName: notary, verifyKeys: { 'ed25519:test': encoded } }]
        const federation = { ...rt.config.federation, keyServers }
        const ring = await loadServerKeys({ ...rt, config: { ...rt.config, federation } }, [wanted])
        assert.equal(ring.keyFor(far, 'ed25519:test', NOW) !== undefined, isFound)
      }
    }))
})
