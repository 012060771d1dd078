// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import { checkDatabase } from '@myelin/services/check-database'
import { contentsOf, FIXTURES, openFixture, restoreMedia } from '../database-fixtures.ts'
import { onEveryDatabase } from '../databases.ts'
import type { Engine } from '../databases.ts'
import { testServer } from '../server.ts'

const CLIENT = '/_matrix/client/v3'
const at = (roomId: string) => `${CLIENT}/rooms/${encodeURIComponent(roomId)}`

type Event = { readonly type: string; readonly event_id: string; readonly content: Readonly<Record<string, unknown>> }
type Events = { readonly events: readonly Event[] }
type Joined = { readonly timeline: Events; readonly ephemeral: Events; readonly account_data: Events }
type Sync = {
  readonly rooms: { readonly join: Readonly<Record<string, Joined>>; readonly invite?: object; readonly leave?: object }
  readonly to_device: { readonly events: readonly unknown[] }
  readonly account_data: Events
  readonly device_one_time_keys_count: object
}

/** A server that goes on with the database of an earlier one. */
async function serverOver(name: string, engine: Engine) {
  const contents = contentsOf(name, engine)
  const server = await testServer(openFixture(name, engine), {}, { clock: new StoppedClock(contents.madeTs) })
  const [store = ''] = server.rt.blobs.pathOf(Buffer.alloc(32)).split('/blobs/')
  restoreMedia(contents, store)
  const [alice, bob] = contents.users
  assert.ok(alice && bob)
  const call = async <Body>(token: string, method: string, path: string, body?: unknown) => {
    const answer = await server.call(method, path, { token, body })
    assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`)
    return answer.body as Body
  }
  const login = async ({ userId, password }: typeof alice) => {
    const identifier = { type: 'm.id.user', user: userId }
    const body = { type: 'm.login.password', identifier, password }
    return (await call<{ access_token: string }>('', 'POST', `${CLIENT}/login`, body)).access_token
  }
  return { server, contents, call, login, alice, bob }
}

const bodiesOf = (events: readonly Event[]) =>
  events.flatMap(({ type, content }) => (type === 'm.room.message' && 'body' in content ? [content['body']] : []))

for (const name of FIXTURES)
  onEveryDatabase(`a database of ${name}`, (_, engine) => {
    test('has nothing that contradicts itself, before it is used and after', async () => {
      const { server, contents, call, login, alice } = await serverOver(name, engine)
      const faults = async () => {
        server.rt.db.read.caches.clear()
        const found: string[] = []
        for await (const { what, fault } of checkDatabase(server.rt.db.read)) found.push(`${what}: ${fault}`)
        return found
      }
      const before = await faults()
      const token = await login(alice)
      for (const { roomId } of contents.rooms)
        await call(token, 'PUT', `${at(roomId)}/send/m.room.message/after`, { msgtype: 'm.text', body: 'after' })
      const after = await faults()
      await server.close()
      assert.deepEqual([before, after], [[], []])
    })

    test('lets its users log in, read what they wrote, and go on in rooms of every version', async () => {
      const { server, contents, call, login, alice, bob } = await serverOver(name, engine)
      const token = await login(alice)
      const sync = await call<Sync>(token, 'GET', `${CLIENT}/sync`)
      assert.deepEqual(
        new Set(Object.keys(sync.rooms.join)),
        new Set([...contents.rooms.map(({ roomId }) => roomId), contents.invitedTo, contents.left]),
      )
      for (const { roomId, bodies, redacted, readUpTo } of contents.rooms) {
        const room = sync.rooms.join[roomId]
        assert.ok(room)
        assert.match(JSON.stringify(room.account_data), /u\.fixture/)
        assert.ok(JSON.stringify(room.ephemeral).includes(readUpTo))
        await call(token, 'PUT', `${at(roomId)}/send/m.room.message/1`, { msgtype: 'm.text', body: 'sent later' })
        const { chunk } = await call<{ chunk: Event[] }>(bob.token, 'GET', `${at(roomId)}/messages?dir=b&limit=100`)
        assert.deepEqual(bodiesOf(chunk.reverse()), [...bodies, 'sent later'])
        assert.deepEqual(chunk.find(({ event_id: id }) => id === redacted)?.content, {})
        await server.workers.search?.settled()
        const criteria = { search_term: `"${bodies[0]}"`, filter: { rooms: [roomId], limit: 100 } }
        const search_categories = { room_events: criteria }
        const found = await call(bob.token, 'POST', `${CLIENT}/search`, { search_categories })
        assert.ok(JSON.stringify(found).includes(JSON.stringify(bodies[0])))
      }
      await server.close()
    })

    test('keeps tokens, invites, keys, backups, messages to devices and files', async () => {
      const { server, contents, call, alice, bob } = await serverOver(name, engine)
      const sync = await call<Sync>(bob.token, 'GET', `${CLIENT}/sync`)
      assert.deepEqual(Object.keys(sync.rooms.invite ?? {}), [contents.invitedTo])
      assert.ok(JSON.stringify(sync.to_device).includes(contents.toDevice))
      assert.deepEqual(sync.device_one_time_keys_count, { signed_curve25519: 2 })
      const wanted = { device_keys: { [alice.userId]: [] } }
      const keys = await call<Record<string, object>>(bob.token, 'POST', `${CLIENT}/keys/query`, wanted)
      assert.deepEqual(Object.keys(keys['master_keys'] ?? {}), [alice.userId])
      assert.match(JSON.stringify(keys['device_keys']), new RegExp(alice.deviceId))
      const one = { one_time_keys: { [alice.userId]: { [alice.deviceId]: 'signed_curve25519' } } }
      const claimed = await call<object>(bob.token, 'POST', `${CLIENT}/keys/claim`, one)
      assert.match(JSON.stringify(claimed), /AAAAAQ/)
      const backup = await call<object>(
        alice.token,
        'GET',
        `${CLIENT}/room_keys/keys?version=${contents.backupVersion}`,
      )
      assert.match(JSON.stringify(backup), /c2Vzc2lvbg/)
      const file = contents.media.uri.slice('mxc://'.length)
      const { status, body } = await server.receive({
        method: 'GET',
        target: `/_matrix/client/v1/media/download/${file}`,
        headers: { authorization: `Bearer ${alice.token}` },
      })
      assert.deepEqual([status, await text(body)], [200, contents.media.content])
      await server.close()
    })
  })
