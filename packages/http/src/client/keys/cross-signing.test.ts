// SPDX-License-Identifier: Apache-2.0
import { encodeBase64 } from '@myelin/matrix/base64'
import { canonicalJson } from '@myelin/matrix/canonical-json'
import type { JsonObject } from '@myelin/matrix/json'
import { signBytes, signingKeyFromSeed, unsignedForm, withSignature } from '@myelin/matrix/signatures'
import type { SigningKey } from '@myelin/matrix/signatures'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'
type Registered = Awaited<ReturnType<TestServer['register']>>
type Usage = 'master' | 'self_signing' | 'user_signing'

/** A pair of keys under the name that stands for it. */
type Pair = { readonly name: string; readonly key: SigningKey }
let seed = 0
const newKey = () => signingKeyFromSeed('x', Buffer.alloc(32, ++seed))
const newPair = (): Pair => {
  const key = newKey()
  return { name: encodeBase64(key.publicKey), key }
}

const signedBy = (object: JsonObject, userId: string, { name, key }: Pair): JsonObject =>
  withSignature(object, userId, `ed25519:${name}`, signBytes(canonicalJson(unsignedForm(object)), key))
const keyFor = (userId: string, usage: Usage, { name }: Pair): JsonObject => ({
  user_id: userId,
  usage: [usage],
  keys: { [`ed25519:${name}`]: name },
})

/** The keys of a user and of their device, the way a client makes them. */
function keysFor({ userId, deviceId }: Registered) {
  const [master, selfSigning, userSigning] = [newPair(), newPair(), newPair()]
  const device = { name: deviceId, key: newKey() }
  const bare = {
    user_id: userId,
    device_id: deviceId,
    algorithms: ['m.olm.v1.curve25519-aes-sha2'],
    keys: { [`ed25519:${deviceId}`]: encodeBase64(device.key.publicKey) },
  }
  const upload = {
    master_key: keyFor(userId, 'master', master),
    self_signing_key: signedBy(keyFor(userId, 'self_signing', selfSigning), userId, master),
    user_signing_key: signedBy(keyFor(userId, 'user_signing', userSigning), userId, master),
  }
  return { master, selfSigning, userSigning, device, deviceKeys: signedBy(bare, userId, device), upload }
}

type Person = Registered & ReturnType<typeof keysFor>

describe('cross-signing', () => {
  let server: TestServer
  let count = 0
  before(async () => void (server = await testServer()))
  after(() => server.close())

  const post = ({ token }: Registered, path: string, body: unknown) =>
    server.call('POST', `${v3}/keys/${path}`, { token, body })
  const newPerson = async (): Promise<Person> => {
    const registered = await server.register(`user${++count}x`)
    const person = { ...registered, ...keysFor(registered) }
    assert.equal((await post(person, 'upload', { device_keys: person.deviceKeys })).status, 200)
    return person
  }
  const newSigner = async () => {
    const person = await newPerson()
    assert.deepEqual((await post(person, 'device_signing/upload', person.upload)).status, 200)
    return person
  }
  const query = async (viewer: Registered, user: Registered) =>
    (await post(viewer, 'query', { device_keys: { [user.userId]: [] } })).body as Record<string, JsonObject>
  const sync = async ({ token }: Registered, since = '') =>
    (await server.call('GET', `${v3}/sync${since && `?since=${since}`}`, { token })).body
  const meet = async (host: Registered, guest: Registered) => {
    const room = await server.call('POST', `${v3}/createRoom`, { token: host.token, body: { preset: 'public_chat' } })
    await server.call('POST', `${v3}/join/${room.body['room_id'] as string}`, { token: guest.token, body: {} })
  }

  test('keys are published without authentication the first time, and the user-signing key is returned to its owner only', async () => {
    const [alice, bob] = [await newSigner(), await newPerson()]
    const own = await query(alice, alice)
    assert.deepEqual(own['master_keys'], { [alice.userId]: alice.upload.master_key })
    assert.deepEqual(own['self_signing_keys'], { [alice.userId]: alice.upload.self_signing_key })
    assert.deepEqual(own['user_signing_keys'], { [alice.userId]: alice.upload.user_signing_key })
    const others = await query(bob, alice)
    assert.deepEqual(others, { ...own, user_signing_keys: {} })
  })

  test('keys can be sent again without a password, and replaced with one', async () => {
    const alice = await newSigner()
    assert.deepEqual((await post(alice, 'device_signing/upload', alice.upload)).body, {})
    assert.deepEqual((await post(alice, 'device_signing/upload', {})).body, {})
    const { upload } = keysFor(alice)
    const first = await post(alice, 'device_signing/upload', upload)
    assert.equal(first.status, 401)
    assert.deepEqual(first.body['flows'], [{ stages: ['m.login.password'] }])
    assert.deepEqual((await query(alice, alice))['master_keys'], { [alice.userId]: alice.upload.master_key })
    const auth = {
      type: 'm.login.password',
      session: first.body['session'],
      identifier: { type: 'm.id.user', user: alice.userId },
      password: 'correct horse',
    }
    const wrong = await post(alice, 'device_signing/upload', { ...upload, auth: { ...auth, password: 'wrong' } })
    assert.equal(wrong.status, 401)
    assert.deepEqual((await post(alice, 'device_signing/upload', { auth })).body, {}, 'the keys may be left out')
    const now = await query(alice, alice)
    assert.deepEqual(now['master_keys'], { [alice.userId]: upload.master_key })
    assert.deepEqual(now['user_signing_keys'], { [alice.userId]: upload.user_signing_key })
    assert.deepEqual((await post(alice, 'device_signing/upload', { ...upload, auth })).body, {}, 'an answer got lost')
  })

  test('are not needed by an upload of none, with which clients look for cross-signing', async () => {
    const alice = await newPerson()
    const { status, body } = await post(alice, 'device_signing/upload', {})
    assert.deepEqual([status, body], [200, {}])
    assert.deepEqual((await query(alice, alice))['master_keys'], {})
  })

  test('another key takes a password, and the existing master key', async () => {
    const alice = await newPerson()
    await post(alice, 'device_signing/upload', { master_key: alice.upload.master_key })
    const more = { self_signing_key: alice.upload.self_signing_key }
    assert.equal((await post(alice, 'device_signing/upload', more)).status, 401)
    const auth = { type: 'm.login.password', user: alice.userId, password: 'correct horse' }
    assert.equal((await post(alice, 'device_signing/upload', { ...more, auth })).status, 200)
    assert.deepEqual((await query(alice, alice))['self_signing_keys'], { [alice.userId]: more.self_signing_key })
  })

  test('a change of keys is sent to users who share a room', async () => {
    const [alice, bob] = [await newPerson(), await newPerson()]
    await meet(alice, bob)
    const since = String((await sync(bob))['next_batch'])
    await post(alice, 'device_signing/upload', alice.upload)
    const seen = await sync(bob, since)
    assert.deepEqual(seen['device_lists'], { changed: [alice.userId], left: [] })
    await post(alice, 'device_signing/upload', alice.upload)
    assert.deepEqual((await sync(bob, String(seen['next_batch'])))['device_lists'], { changed: [], left: [] })
  })

  test('signatures of a user on own devices, and of a device on its master key, are public', async () => {
    const [alice, bob] = [await newSigner(), await newPerson()]
    await meet(alice, bob)
    const since = String((await sync(bob))['next_batch'])
    const device = signedBy(alice.deviceKeys, alice.userId, alice.selfSigning)
    const master = signedBy(alice.upload.master_key, alice.userId, alice.device)
    const signatures = { [alice.userId]: { [alice.deviceId]: device, [alice.master.name]: master } }
    assert.deepEqual((await post(alice, 'signatures/upload', signatures)).body, { failures: {} })
    const seen = await query(bob, alice)
    assert.deepEqual(seen['device_keys'], { [alice.userId]: { [alice.deviceId]: { ...device, unsigned: {} } } })
    assert.deepEqual(seen['master_keys'], { [alice.userId]: master })
    const shown = await sync(bob, since)
    assert.deepEqual(shown['device_lists'], { changed: [alice.userId], left: [] })
    assert.deepEqual((await post(alice, 'signatures/upload', signatures)).body, { failures: {} })
    assert.deepEqual((await sync(bob, String(shown['next_batch'])))['device_lists'], { changed: [], left: [] })
  })

  test('signatures of a user on other users are private', async () => {
    const [alice, bob] = [await newSigner(), await newSigner()]
    await meet(alice, bob)
    const since = new Map<Person, string>()
    for (const person of [alice, bob]) since.set(person, String((await sync(person))['next_batch']))
    const signed = signedBy(bob.upload.master_key, alice.userId, alice.userSigning)
    const answer = await post(alice, 'signatures/upload', { [bob.userId]: { [bob.master.name]: signed } })
    assert.deepEqual(answer.body, { failures: {} })
    assert.deepEqual((await query(alice, bob))['master_keys'], { [bob.userId]: signed })
    assert.deepEqual((await query(bob, bob))['master_keys'], { [bob.userId]: bob.upload.master_key })
    assert.deepEqual((await sync(alice, since.get(alice)))['device_lists'], { changed: [bob.userId], left: [] })
    assert.deepEqual((await sync(bob, since.get(bob)))['device_lists'], { changed: [], left: [] })
  })

  test('invalid signatures fail one by one, and the others are stored', async () => {
    const [alice, bob] = [await newSigner(), await newSigner()]
    const device = signedBy(alice.deviceKeys, alice.userId, alice.selfSigning)
    const forged = withSignature(bob.upload.master_key, alice.userId, `ed25519:${alice.userSigning.name}`, 'AAAA')
    const { body } = await post(alice, 'signatures/upload', {
      [alice.userId]: {
        [alice.deviceId]: device,
        UNKNOWN: device,
        [alice.master.name]: alice.upload.master_key,
        [alice.selfSigning.name]: alice.upload.self_signing_key,
      },
      [bob.userId]: { [bob.master.name]: forged, [bob.deviceId]: bob.deviceKeys },
      '@eve:two.test': { KEY: {} },
      '@nobody:one.test': JSON.parse('{"__proto__":{}}') as object,
    })
    const codes = Object.entries(body['failures'] as Record<string, Record<string, JsonObject>>).flatMap(
      ([user, keys]) => Object.entries(keys).map(([id, failure]) => [user, id, failure['errcode']]),
    )
    assert.deepEqual(codes, [
      [alice.userId, 'UNKNOWN', 'M_NOT_FOUND'],
      [alice.userId, alice.master.name, 'M_INVALID_SIGNATURE'],
      [alice.userId, alice.selfSigning.name, 'M_NOT_FOUND'],
      [bob.userId, bob.master.name, 'M_INVALID_SIGNATURE'],
      [bob.userId, bob.deviceId, 'M_NOT_FOUND'],
      ['@eve:two.test', 'KEY', 'M_NOT_FOUND'],
      ['@nobody:one.test', '__proto__', 'M_NOT_FOUND'],
    ])
    const seen = (await query(alice, alice))['device_keys']
    assert.deepEqual(seen, { [alice.userId]: { [alice.deviceId]: { ...device, unsigned: {} } } })
  })

  const wrongSignatures = [
    ['over something else', (a: Person) => signedBy({ ...a.deviceKeys, algorithms: [] }, a.userId, a.selfSigning)],
    ['by another key', (a: Person) => signedBy(a.deviceKeys, a.userId, a.master)],
    [
      'in the name of another key',
      (a: Person) => signedBy(a.deviceKeys, a.userId, { name: a.selfSigning.name, key: a.master.key }),
    ],
  ] as const
  for (const [name, sign] of wrongSignatures) {
    test(`a signature ${name} is refused`, async () => {
      const alice = await newSigner()
      const { body } = await post(alice, 'signatures/upload', { [alice.userId]: { [alice.deviceId]: sign(alice) } })
      const failures = body['failures'] as Record<string, Record<string, JsonObject>>
      assert.equal(failures[alice.userId]?.[alice.deviceId]?.['errcode'], 'M_INVALID_SIGNATURE')
      const device = { ...alice.deviceKeys, unsigned: {} }
      assert.deepEqual((await query(alice, alice))['device_keys'], { [alice.userId]: { [alice.deviceId]: device } })
    })
  }

  const refusals = [
    [
      'keys without a master key',
      (a: Person) => ({ self_signing_key: a.upload.self_signing_key }),
      400,
      'M_MISSING_PARAM',
    ],
    [
      'a user-signing key alone',
      (a: Person) => ({ user_signing_key: a.upload.user_signing_key }),
      400,
      'M_MISSING_PARAM',
    ],
    [
      'a key of another user',
      (a: Person) => ({ master_key: { ...a.upload.master_key, user_id: '@b:one.test' } }),
      400,
      'M_INVALID_PARAM',
    ],
    [
      'a key for another use',
      (a: Person) => ({ ...a.upload, self_signing_key: a.upload.user_signing_key }),
      400,
      'M_INVALID_PARAM',
    ],
    [
      'two keys in one',
      (a: Person) => ({
        master_key: { ...a.upload.master_key, keys: { ...(a.upload.master_key['keys'] as object), 'ed25519:b': 'b' } },
      }),
      400,
      'M_INVALID_PARAM',
    ],
    [
      'a key under another name',
      (a: Person) => ({ master_key: { ...a.upload.master_key, keys: { 'ed25519:other': a.master.name } } }),
      400,
      'M_INVALID_PARAM',
    ],
    [
      'something that is no key',
      (a: Person) => ({ master_key: { ...a.upload.master_key, keys: { 'ed25519:AAAA': 'AAAA' } } }),
      400,
      'M_INVALID_PARAM',
    ],
    [
      'an unsigned self-signing key',
      (a: Person) => ({ ...a.upload, self_signing_key: keyFor(a.userId, 'self_signing', a.selfSigning) }),
      400,
      'M_INVALID_SIGNATURE',
    ],
    [
      'a self-signing key signed by itself',
      (a: Person) => ({
        ...a.upload,
        self_signing_key: signedBy(keyFor(a.userId, 'self_signing', a.selfSigning), a.userId, {
          ...a.selfSigning,
          name: a.master.name,
        }),
      }),
      400,
      'M_INVALID_SIGNATURE',
    ],
    ['keys in a list', () => ({ master_key: [] }), 400, 'M_BAD_JSON'],
    ['a key without its use', (a: Person) => ({ master_key: { user_id: a.userId, keys: {} } }), 400, 'M_MISSING_PARAM'],
  ] as const
  for (const [name, body, status, code] of refusals) {
    test(`refuses ${name}, and stores none of it`, async () => {
      const alice = await newPerson()
      const answer = await post(alice, 'device_signing/upload', body(alice))
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
      assert.deepEqual((await query(alice, alice))['master_keys'], {})
    })
  }

  test('refuses a key with the id of a device, and a device with the id of a key', async () => {
    const alice = await newPerson()
    const { name } = alice.master
    const logIn = (deviceId: string) =>
      server.call('POST', `${v3}/login`, {
        body: { type: 'm.login.password', user: alice.userId, password: 'correct horse', device_id: deviceId },
      })
    assert.equal((await logIn(name)).status, 200)
    const answer = await post(alice, 'device_signing/upload', alice.upload)
    assert.deepEqual([answer.status, answer.body['errcode']], [403, 'M_FORBIDDEN'])
    const bob = await newSigner()
    const body = { type: 'm.login.password', user: bob.userId, password: 'correct horse', device_id: bob.master.name }
    assert.equal((await server.call('POST', `${v3}/login`, { body })).status, 403)
  })

  test('refuses signatures of the wrong format, and requests without a token', async () => {
    const alice = await newPerson()
    for (const body of [[], { [alice.userId]: [] }, { [alice.userId]: { KEY: 'text' } }, { alice: {} }]) {
      const answer = await post(alice, 'signatures/upload', body)
      assert.deepEqual([answer.status, answer.body['errcode']], [400, 'M_BAD_JSON'])
    }
    for (const path of ['signatures/upload', 'device_signing/upload']) {
      assert.equal((await server.call('POST', `${v3}/keys/${path}`, { body: {} })).status, 401)
    }
  })
})
