// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { onEveryDatabase } from '../databases.ts'
import type { OpenDatabase } from '../databases.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'

const v3 = '/_matrix/client/v3'
type Person = Awaited<ReturnType<TestServer['register']>>
type Lists = { readonly changed: readonly string[]; readonly left: readonly string[] }

/** A server with three users, and what they do there. */
async function serverOf(open: OpenDatabase, t: TestContext) {
  const server = await testServer(open)
  t.after(() => server.close())
  const [alice, bob, carol] = [
    await server.register('alice'),
    await server.register('bob'),
    await server.register('carol'),
  ]
  const call = async (method: string, path: string, { token }: Person, body?: unknown) => {
    const answer = await server.call(method, `${v3}/${path}`, { token, ...(body === undefined ? {} : { body }) })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return answer.body
  }
  const create = async (who: Person, body: object = { preset: 'public_chat' }) =>
    encodeURIComponent(String((await call('POST', 'createRoom', who, body))['room_id']))
  const at = async (who: Person) => String((await call('GET', 'sync', who))['next_batch'])
  const listsSince = async (who: Person, since: string): Promise<readonly [Lists, Lists]> => {
    const synced = await call('GET', `sync?since=${since}`, who)
    const path = `keys/changes?from=${since}&to=${String(synced['next_batch'])}`
    return [synced['device_lists'] as Lists, (await call('GET', path, who)) as unknown as Lists]
  }
  const upload = async (who: Person) =>
    call('POST', 'keys/upload', who, {
      device_keys: {
        user_id: who.userId,
        device_id: who.deviceId,
        algorithms: ['m.olm.v1.curve25519-aes-sha2'],
        keys: { [`curve25519:${who.deviceId}`]: 'identity' },
        signatures: {},
      },
    })
  const move = (who: Person, room: string, way: 'join' | 'leave') => call('POST', `rooms/${room}/${way}`, who, {})
  return { alice, bob, carol, call, create, at, listsSince, upload, move }
}

onEveryDatabase('the device lists of a sync', (open) => {
  test('have a user who left, uploaded keys and joined again between two syncs', async (t) => {
    const { alice, bob, create, at, listsSince, upload, move } = await serverOf(open, t)
    const room = await create(alice)
    await move(bob, room, 'join')
    const since = await at(alice)
    await move(bob, room, 'leave')
    await upload(bob)
    await move(bob, room, 'join')
    for (const lists of await listsSince(alice, since)) assert.deepEqual(lists, { changed: [bob.userId], left: [] })
  })

  test('do not have a user who changed only a name', async (t) => {
    const { alice, bob, call, create, at, listsSince, move } = await serverOf(open, t)
    const room = await create(alice)
    await move(bob, room, 'join')
    const since = await at(alice)
    await call('PUT', `profile/${bob.userId}/displayname`, bob, { displayname: 'Bobby' })
    for (const lists of await listsSince(alice, since)) assert.deepEqual(lists, { changed: [], left: [] })
  })

  test('have those who left while the user was away from the room themselves', async (t) => {
    const { alice, bob, carol, create, at, listsSince, move } = await serverOf(open, t)
    const room = await create(alice)
    for (const who of [bob, carol]) await move(who, room, 'join')
    const since = await at(alice)
    await move(alice, room, 'leave')
    await move(bob, room, 'leave')
    await move(alice, room, 'join')
    for (const lists of await listsSince(alice, since))
      assert.deepEqual(lists, { changed: [carol.userId], left: [bob.userId] })
  })

  test('have those who left before the user did', async (t) => {
    const { alice, bob, carol, create, at, listsSince, move } = await serverOf(open, t)
    const room = await create(alice)
    for (const who of [bob, carol]) await move(who, room, 'join')
    const since = await at(alice)
    await move(bob, room, 'leave')
    await move(alice, room, 'leave')
    for (const lists of await listsSince(alice, since))
      assert.deepEqual({ ...lists, left: lists.left.toSorted() }, { changed: [], left: [bob.userId, carol.userId] })
  })

  test('have no members of a room that the user was only invited to', async (t) => {
    const { alice, bob, call, create, at, listsSince, move } = await serverOf(open, t)
    const room = await create(alice, { preset: 'private_chat' })
    const since = await at(bob)
    await call('POST', `rooms/${room}/invite`, alice, { user_id: bob.userId })
    for (const lists of await listsSince(bob, since)) assert.deepEqual(lists, { changed: [], left: [] })
    await move(bob, room, 'leave')
    for (const lists of await listsSince(bob, since)) assert.deepEqual(lists, { changed: [], left: [] })
  })

  test('have an invited user, and their changes, and that they joined', async (t) => {
    const { alice, bob, call, create, at, listsSince, upload, move } = await serverOf(open, t)
    const room = await create(alice, { preset: 'private_chat' })
    const acts = [
      () => call('POST', `rooms/${room}/invite`, alice, { user_id: bob.userId }),
      () => upload(bob),
      () => move(bob, room, 'join'),
    ]
    for (const act of acts) {
      const since = await at(alice)
      await act()
      for (const lists of await listsSince(alice, since)) assert.deepEqual(lists, { changed: [bob.userId], left: [] })
    }
  })

  test('have an invited user who rejected the invite among those who left', async (t) => {
    const { alice, bob, call, create, at, listsSince, move } = await serverOf(open, t)
    const room = await create(alice, { preset: 'private_chat' })
    await call('POST', `rooms/${room}/invite`, alice, { user_id: bob.userId })
    const since = await at(alice)
    await move(bob, room, 'leave')
    for (const lists of await listsSince(alice, since)) assert.deepEqual(lists, { changed: [], left: [bob.userId] })
  })

  test('have a user once a new device has keys, not when it logs in', async (t) => {
    const { alice, bob, call, create, at, listsSince, upload, move } = await serverOf(open, t)
    await move(bob, await create(alice), 'join')
    const before = await at(alice)
    const identifier = { type: 'm.id.user', user: bob.userId }
    const login = { type: 'm.login.password', identifier, password: 'correct horse' }
    const { access_token: token, device_id: deviceId } = await call('POST', 'login', bob, login)
    for (const lists of await listsSince(alice, before)) assert.deepEqual(lists, { changed: [], left: [] })
    await upload({ userId: bob.userId, token: String(token), deviceId: String(deviceId) })
    for (const lists of await listsSince(alice, before)) assert.deepEqual(lists, { changed: [bob.userId], left: [] })
  })
})
