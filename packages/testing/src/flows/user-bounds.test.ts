// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RoomAlias, RoomId, UserId } from '@myelin/matrix/ids'
import { MAX_DEVICES } from '@myelin/services/accounts/start-session'
import { refuseTooMany } from '@myelin/services/keys/backed-up-sessions'
import { MAX_BACKUPS } from '@myelin/services/keys/key-backup'
import { MAX_ALIASES_OF_ROOM, MAX_ALIASES_OF_USER } from '@myelin/services/rooms/add-alias'
import { putDevice } from '@myelin/storage/accounts/devices'
import { putDeviceKeys } from '@myelin/storage/keys/device-keys'
import { putAlias } from '@myelin/storage/rooms/aliases'
import { onEveryDatabase } from '../databases.ts'
import { testServer } from '../server.ts'
import type { TestServer } from '../server.ts'

const v3 = '/_matrix/client/v3'

/** Creates local aliases in the database. */
async function fillAliases({ rt }: TestServer, creator: string, roomId: string, names: readonly string[]) {
  await rt.db.write(async (tx) => {
    for (const name of names) {
      const alias = { alias: `#${name}:one.test` as RoomAlias, roomId: roomId as RoomId, creator: creator as UserId }
      assert.equal(await putAlias(tx, alias, 0), true)
    }
  })
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, at) => `${prefix}${at}`)

onEveryDatabase('what a user may have is bounded', (open) => {
  async function stage() {
    const server = await testServer(open)
    const [alice, bob] = [await server.register('alice'), await server.register('bob')]
    const create = async (token: string, body: object = {}) =>
      server.call('POST', `${v3}/createRoom`, { token, body: { preset: 'public_chat', ...body } })
    const roomId = String((await create(alice.token)).body['room_id'])
    const name = (token: string, alias: string, room = roomId) =>
      server.call('PUT', `${v3}/directory/room/${encodeURIComponent(`#${alias}:one.test`)}`, {
        token,
        body: { room_id: room },
      })
    return { server, alice, bob, create, roomId, name }
  }

  test('aliases of a room: the next is refused until one is deleted', async () => {
    const { server, alice, bob, roomId, name } = await stage()
    await server.call('POST', `${v3}/join/${roomId}`, { token: bob.token, body: {} })
    await fillAliases(server, alice.userId, roomId, names('a', MAX_ALIASES_OF_ROOM - 1))
    assert.equal((await name(bob.token, 'last')).status, 200)
    const { status, body } = await name(bob.token, 'over')
    assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
    const path = `${v3}/directory/room/${encodeURIComponent('#over:one.test')}`
    assert.equal((await server.call('GET', path)).status, 404)
    const own = `${v3}/directory/room/${encodeURIComponent('#last:one.test')}`
    assert.equal((await server.call('DELETE', own, { token: bob.token })).status, 200)
    assert.equal((await name(bob.token, 'over')).status, 200)
    await server.close()
  })

  test('aliases of a user: also createRoom refuses one more, and leaves no room', async () => {
    const { server, alice, bob, create, roomId, name } = await stage()
    await fillAliases(server, alice.userId, roomId, names('a', MAX_ALIASES_OF_USER))
    const other = String((await create(alice.token)).body['room_id'])
    const refusals = [await name(alice.token, 'over', other), await create(alice.token, { room_alias_name: 'over' })]
    for (const { status, body } of refusals) assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
    const { body } = await server.call('GET', `${v3}/joined_rooms`, { token: alice.token })
    assert.equal((body['joined_rooms'] as string[]).length, 2)
    assert.equal((await create(bob.token, { room_alias_name: 'over' })).status, 200)
    await server.close()
  })

  test('devices: one more login works, and deletes the device that was used the longest ago, without keys first', async () => {
    const { server, alice } = await stage()
    const user = alice.userId as UserId
    await server.rt.db.write(async (tx) => {
      for (let at = 1; at < MAX_DEVICES; at++)
        await putDevice(tx, user, { deviceId: `D${at}`, displayName: null, createdTs: at })
      await putDeviceKeys(tx, user, 'D1', { device_id: 'D1' })
    })
    const devices = async () => {
      const { body } = await server.call('GET', `${v3}/devices`, { token: alice.token })
      return new Set((body['devices'] as { device_id: string }[]).map((device) => device.device_id))
    }
    assert.equal((await devices()).size, MAX_DEVICES)
    const { body: before } = await server.call('GET', `${v3}/sync`, { token: alice.token })
    const { status, body } = await server.call('POST', `${v3}/login`, {
      body: { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' }, password: 'correct horse' },
    })
    assert.equal(status, 200)
    const left = await devices()
    assert.equal(left.size, MAX_DEVICES)
    assert.deepEqual([left.has('D1'), left.has('D2'), left.has('D3')], [true, false, true])
    assert.ok(left.has(String(body['device_id'])))
    const path = `${v3}/sync?since=${String(before['next_batch'])}`
    const { body: after } = await server.call('GET', path, { token: alice.token })
    assert.deepEqual((after['device_lists'] as { changed: string[] }).changed, [user])
    await server.close()
  })

  test('key backups: the next is refused until one is deleted, and deleted ones leave nothing', async () => {
    const { server, alice } = await stage()
    const call = (method: string, path: string, body?: object) =>
      server.call(method, `${v3}/room_keys/${path}`, { token: alice.token, ...(body ? { body } : {}) })
    const create = () => call('POST', 'version', { algorithm: 'a', auth_data: {} })
    for (let at = 0; at < MAX_BACKUPS; at++) assert.equal((await create()).status, 200)
    const { status, body } = await create()
    assert.deepEqual([status, body['errcode']], [403, 'M_FORBIDDEN'])
    for (const version of ['1', '2']) assert.equal((await call('DELETE', `version/${version}`)).status, 200)
    assert.equal((await create()).body['version'], `${MAX_BACKUPS + 1}`)
    const rows = await server.rt.db.read.selectFrom('key_backups').select('version').execute()
    assert.equal(rows.length, MAX_BACKUPS - 1)
    // A deleted version is answered as before, and none is given twice.
    assert.equal((await call('DELETE', 'version/1')).status, 200)
    assert.equal((await call('DELETE', 'version/9999')).status, 404)
    assert.equal((await call('DELETE', `version/${MAX_BACKUPS + 1}`)).status, 200)
    assert.equal((await create()).body['version'], `${MAX_BACKUPS + 2}`)
    await server.close()
  })
})

test('a key backup has at most a million sessions', () => {
  refuseTooMany(1_000_000)
  assert.throws(() => refuseTooMany(1_000_001), { code: 'M_FORBIDDEN' })
})
