// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { testServer } from '../../server.ts'
import type { TestServer } from '../../server.ts'

const v3 = '/_matrix/client/v3'
const MSC3391 = '/_matrix/client/unstable/org.matrix.msc3391'
const SETTINGS = 'org.matrix.msc3890.local_notification_settings'
type Person = Awaited<ReturnType<TestServer['register']>>
type Entry = { readonly type: string; readonly content: unknown }
type Entries = { readonly events: readonly Entry[] }
type Synced = {
  readonly next_batch: string
  readonly account_data: Entries
  readonly rooms: { readonly join: Record<string, { readonly account_data: Entries }> }
}

onEveryDatabase('deleted account data', (open) => {
  describe('of a user', () => {
    let server: TestServer
    let alice: Person
    let room: string
    const call = async (method: string, path: string, body?: unknown) =>
      server.call(method, path, { token: alice.token, ...(body === undefined ? {} : { body }) })
    const sync = async (since?: string) =>
      (await call('GET', `${v3}/sync${since === undefined ? '' : `?since=${since}`}`)).body as unknown as Synced
    const ofType = ({ account_data: { events } }: { account_data: Entries }, type: string) =>
      events.filter((each) => each.type === type)
    const inRoom = ({ rooms }: Synced, type: string) =>
      Object.values(rooms.join).flatMap((joined) => ofType(joined, type))

    before(async () => {
      server = await testServer(open)
      alice = await server.register('alice')
      room = encodeURIComponent(String((await call('POST', `${v3}/createRoom`, {})).body['room_id']))
    })
    after(() => server.close())

    const places = [
      {
        place: 'global',
        path: () => `user/${alice.userId}/account_data`,
        read: ofType as (s: Synced, t: string) => Entry[],
      },
      { place: 'of a room', path: () => `user/${alice.userId}/rooms/${room}/account_data`, read: inRoom },
    ]
    const ways = {
      DELETE: (path: string) => call('DELETE', `${MSC3391}/${path}`),
      'PUT {}': (path: string) => call('PUT', `${v3}/${path}`, {}),
    }
    for (const { place, path, read } of places) {
      for (const [way, remove] of Object.entries(ways)) {
        test(`${place}, by ${way}, is missing, in an initial sync too, and empty in one that continues`, async () => {
          const type = `x.${way.slice(0, 3).toLowerCase()}`
          await call('PUT', `${v3}/${path()}/${type}`, { a: 1 })
          const { next_batch: since } = await sync()
          assert.deepEqual(await remove(`${path()}/${type}`).then(({ status, body }) => [status, body]), [200, {}])
          const { status, body } = await call('GET', `${v3}/${path()}/${type}`)
          assert.deepEqual([status, body['errcode']], [404, 'M_NOT_FOUND'])
          assert.deepEqual(read(await sync(), type), [])
          const { next_batch: next, ...changes } = await sync(since)
          assert.deepEqual(read({ next_batch: next, ...changes }, type), [{ type, content: {} }])
          assert.equal((await remove(`${path()}/${type}`)).status, 200)
          assert.deepEqual(read(await sync(next), type), [], 'deleted once only')
          await call('PUT', `${v3}/${path()}/${type}`, { b: 2 })
          assert.deepEqual(read(await sync(), type), [{ type, content: { b: 2 } }])
        })
      }
    }

    test('is only the requester’s own, and none that the server writes', async () => {
      const bob = await server.register('bob')
      const refused = async (path: string) => {
        const { status, body } = await call('DELETE', `${MSC3391}/${path}`)
        return [status, body['errcode']]
      }
      assert.deepEqual(await refused(`user/${bob.userId}/account_data/x`), [403, 'M_FORBIDDEN'])
      assert.deepEqual(await refused(`user/${alice.userId}/account_data/m.push_rules`), [405, 'M_BAD_JSON'])
      assert.deepEqual(await refused(`user/${alice.userId}/rooms/x/account_data/y`), [400, 'M_INVALID_PARAM'])
    })

    test('is that of a device that is deleted', async () => {
      const login = { type: 'm.login.password', user: 'alice', password: 'correct horse', device_id: 'PHONE' }
      const { access_token: token } = (await server.call('POST', `${v3}/login`, { body: login })).body
      const path = (device: string) => `${v3}/user/${alice.userId}/account_data/${SETTINGS}.${device}`
      for (const device of ['PHONE', 'LAPTOP']) await call('PUT', path(device), { is_silenced: true })
      const { next_batch: since } = await sync()
      await server.call('POST', `${v3}/logout`, { token: String(token), body: {} })
      assert.equal((await call('GET', path('PHONE'))).status, 404)
      assert.deepEqual((await call('GET', path('LAPTOP'))).body, { is_silenced: true })
      assert.deepEqual((await sync(since)).account_data.events, [{ type: `${SETTINGS}.PHONE`, content: {} }])
    })

    test('still counts towards the limit of a user', async () => {
      const carol = await server.register('carol')
      const path = (at: number) => `user/${carol.userId}/account_data/${'t'.repeat(240)}${at}`
      await server.rt.db.write(async (tx) => {
        const row = {
          user_id: carol.userId as never,
          room_id: '',
          type: 'large',
          content: `{"a":"${'a'.repeat(4_193_300)}"}`,
        }
        await tx
          .insertInto('account_data')
          .values({ ...row, position: tx.takePosition() })
          .execute()
        tx.touch(carol.userId)
      })
      const set = (at: number, body: object) => server.call('PUT', `${v3}/${path(at)}`, { token: carol.token, body })
      assert.equal((await set(1, { a: 1 })).status, 200)
      assert.equal((await set(1, {})).status, 200)
      assert.equal((await set(2, { a: 1 })).status, 200)
      assert.equal((await set(2, {})).status, 200)
      assert.equal((await set(3, { a: 1 })).body['errcode'], 'M_TOO_LARGE')
    })
  })
})
