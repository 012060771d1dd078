// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '../../databases.ts'
import { OLDER, slidingStage } from '../../stages/sliding-stage.ts'
import type { Person } from '../../stages/sliding-stage.ts'

const window = (last: number) => ({ lists: { all: { ranges: [[0, last]], ...OLDER } } })
const withExtension = (name: string, config: object = {}, last = 9) => ({
  ...window(last),
  extensions: { [name]: { enabled: true, ...config } },
})

type Extension = Readonly<Record<string, unknown>> | undefined
const roomsIn = (extension: Extension) => Object.keys((extension?.['rooms'] ?? {}) as object)

onEveryDatabase('an extension of sliding sync', (open) => {
  test('to_device has its own since, and repeats until it is acknowledged', async (t) => {
    const { alice, bob, call, client, server } = await slidingStage(open, t)
    const phone = client(alice, 'msc3575', 'encryption')
    const only = (since?: string, limit?: number) => ({
      extensions: { to_device: { enabled: true, ...(since ? { since } : {}), ...(limit ? { limit } : {}) } },
    })
    const first = await phone.sync(only())
    assert.deepEqual([first.lists, first.extensions['to_device']?.['events']], [undefined, []])
    const send = (text: string) =>
      call('PUT', `sendToDevice/m.test/${text}`, bob, { messages: { [alice.userId]: { '*': { text } } } })
    await send('one')
    await send('two')
    const bodiesIn = (extension: Extension) =>
      ((extension ?? {})['events'] as { content: { text: string } }[]).map(({ content }) => content.text)
    const since = String(first.extensions['to_device']?.['next_batch'])
    const got = (await phone.sync(only(since))).extensions['to_device']
    assert.deepEqual(bodiesIn(got), ['one', 'two'])
    assert.deepEqual(bodiesIn((await phone.sync(only(since))).extensions['to_device']), ['one', 'two'])
    const half = (await phone.sync(only(since, 1))).extensions['to_device']
    assert.deepEqual(bodiesIn(half), ['one'])
    const rest = (await phone.sync(only(String(half?.['next_batch'])))).extensions['to_device']
    assert.deepEqual(bodiesIn(rest), ['two'])
    const done = (await phone.sync(only(String(rest?.['next_batch'])))).extensions['to_device']
    assert.deepEqual([bodiesIn(done), done?.['next_batch']], [[], rest?.['next_batch']])
    assert.deepEqual(await server.rt.db.read.selectFrom('to_device').selectAll().execute(), [])
    // A client that was ahead of a restored database loses nothing.
    await send('three')
    assert.deepEqual(bodiesIn((await phone.sync(only('999999999'))).extensions['to_device']), ['three'])
  })

  test('e2ee has the keys that are left, and device lists over the window of the connection', async (t) => {
    const { alice, bob, room, move, call, client } = await slidingStage(open, t)
    const roomId = await room(alice)
    const phone = client(alice, 'msc3575', 'encryption')
    const request = { extensions: { e2ee: { enabled: true } } }
    assert.deepEqual((await phone.sync(request)).extensions['e2ee'], {
      device_one_time_keys_count: { signed_curve25519: 0 },
      device_unused_fallback_key_types: [],
    })
    const listsOf = async () => (await phone.sync(request)).extensions['e2ee']?.['device_lists']
    await move(bob, roomId, 'join')
    assert.deepEqual(await listsOf(), { changed: [bob.userId], left: [] })
    await call('PUT', `devices/${bob.deviceId}`, bob, { display_name: 'renamed' })
    assert.deepEqual(await listsOf(), { changed: [bob.userId], left: [] })
    await move(bob, roomId, 'leave')
    assert.deepEqual(await listsOf(), { changed: [], left: [bob.userId] })
    assert.deepEqual(await listsOf(), { changed: [], left: [] })
  })

  test('account_data is of the user and of the rooms that are shown', async (t) => {
    const { alice, room, say, call, client } = await slidingStage(open, t)
    const [a, b] = [await room(alice), await room(alice)]
    const put = (path: string, content: object) => call('PUT', `user/${alice.userId}/${path}`, alice, content)
    const tag = (roomId: string, name: string) => put(`rooms/${roomId}/tags/${name}`, {})
    await put('account_data/org.test', { a: 1 })
    await tag(a, 'm.favourite')
    const phone = client(alice)
    const sync = async (last: number, config: object = {}) =>
      (await phone.sync(withExtension('account_data', config, last))).extensions['account_data']
    const first = await sync(0)
    const types = ((first ?? {})['global'] as { type: string }[]).map(({ type }) => type).toSorted()
    assert.deepEqual(types, ['m.push_rules', 'org.test'])
    assert.deepEqual(roomsIn(first), [])
    // The room comes into the window, with what it had before.
    await say(alice, a)
    assert.deepEqual(roomsIn(await sync(0)), [a])
    await tag(b, 'm.lowpriority')
    assert.deepEqual(roomsIn(await sync(0)), [])
    await say(alice, b)
    assert.deepEqual(roomsIn(await sync(0)), [b])
    await tag(a, 'm.lowpriority')
    assert.deepEqual(roomsIn(await sync(9, { lists: [], rooms: [] })), [])
    assert.deepEqual(roomsIn(await sync(9)), [a])
    assert.deepEqual(await sync(9), { global: [], rooms: {} })
    await put('account_data/org.test', { a: 2 })
    assert.deepEqual(await sync(9), { global: [{ type: 'org.test', content: { a: 2 } }], rooms: {} })
  })

  test('receipts are those on the shown events first, and then those that move', async (t) => {
    const { alice, bob, room, say, move, client } = await slidingStage(open, t)
    const roomId = await room(alice)
    await move(bob, roomId, 'join')
    const read = (who: Person, event: string, kind = 'm.read') => move(who, roomId, `receipt/${kind}/${event}`)
    const [old, last] = [await say(alice, roomId), await say(alice, roomId)]
    await read(bob, old)
    await read(alice, old)
    const phone = client(alice)
    const sync = async () => (await phone.sync(withExtension('receipts', { rooms: ['*'] }))).extensions['receipts']
    const usersOn = (extension: Extension, event: string) => {
      const rooms = extension?.['rooms'] as Record<string, { content: Record<string, Record<string, object>> }>
      return Object.values(rooms[roomId]?.content[event] ?? {}).flatMap((users) => Object.keys(users))
    }
    // Bob's receipt is on an event that is not shown.
    assert.deepEqual(usersOn(await sync(), old), [alice.userId])
    await read(bob, last)
    const moved = await sync()
    assert.deepEqual(usersOn(moved, last), [bob.userId])
    await read(bob, last, 'm.read.private')
    assert.deepEqual(roomsIn(await sync()), [])
    assert.deepEqual(
      usersOn((await client(alice, 'msc3575', 'new').sync(withExtension('receipts'))).extensions['receipts'], last),
      [bob.userId],
    )
  })

  test('typing is of the lists and rooms that the client names', async (t) => {
    const { alice, bob, room, move, call, client } = await slidingStage(open, t)
    const roomId = await room(alice)
    await move(bob, roomId, 'join')
    const type = (typing: boolean) =>
      call('PUT', `rooms/${roomId}/typing/${bob.userId}`, bob, { typing, ...(typing ? { timeout: 10_000 } : {}) })
    const phone = client(alice)
    const sync = async (config: object = {}) => (await phone.sync(withExtension('typing', config))).extensions['typing']
    assert.deepEqual(await sync(), { rooms: {} })
    await type(true)
    assert.deepEqual(await sync(), { rooms: { [roomId]: { type: 'm.typing', content: { user_ids: [bob.userId] } } } })
    assert.deepEqual(await sync(), { rooms: {} })
    await type(false)
    assert.deepEqual(await sync({ lists: ['other'], rooms: [] }), { rooms: {} })
    await type(true)
    assert.deepEqual(roomsIn(await sync({ lists: ['all'] })), [roomId])
  })

  test('thread_subscriptions has the latest changes, and where the others are', async (t) => {
    const { alice, room, say, server, client } = await slidingStage(open, t)
    const roomId = await room(alice)
    const roots = [await say(alice, roomId), await say(alice, roomId), await say(alice, roomId)]
    const subscription = (method: string, root: string) => {
      const path = `/_matrix/client/unstable/io.element.msc4306/rooms/${roomId}/thread/${root}/subscription`
      return server.call(method, path, { token: alice.token, ...(method === 'PUT' ? { body: {} } : {}) })
    }
    const phone = client(alice)
    const name = 'io.element.msc4308.thread_subscriptions'
    const sync = async () =>
      (await phone.sync({ extensions: { [name]: { enabled: true, limit: 2 } } })).extensions[name]
    assert.equal(await sync(), undefined)
    for (const root of roots) assert.equal((await subscription('PUT', root)).status, 200)
    const before = phone.pos
    const latest = await sync()
    const threadsIn = (extension: Extension, kind: string) =>
      Object.keys(((extension ?? {})[kind] as Record<string, object>)[roomId] ?? {}).toSorted()
    assert.deepEqual(threadsIn(latest, 'subscribed'), roots.slice(1).toSorted())
    const from = encodeURIComponent(String(latest?.['prev_batch']))
    const path = `/_matrix/client/unstable/io.element.msc4308/thread_subscriptions?dir=b&from=${from}&to=${before}`
    const rest = await server.call('GET', path, { token: alice.token })
    assert.deepEqual(threadsIn(rest.body, 'subscribed'), roots.slice(0, 1))
    assert.equal((await subscription('DELETE', roots[0] ?? '')).status, 200)
    const ended = await sync()
    assert.deepEqual([threadsIn(ended, 'unsubscribed'), ended?.['prev_batch']], [roots.slice(0, 1), undefined])
    assert.equal(await sync(), undefined)
  })

  test('sticky_events has its own since, over all matching rooms, and leaves out the timeline', async (t) => {
    const { alice, bob, room, move, call, say, client } = await slidingStage(open, t)
    const name = 'org.matrix.msc4354.sticky_events'
    const rooms = [await room(alice), await room(alice)] as const
    for (const roomId of rooms) await move(bob, roomId, 'join')
    const stick = (roomId: string, body: string) =>
      call('PUT', `rooms/${roomId}/send/m.test/${body}?${name.slice(0, 18)}.sticky_duration_ms=60000`, alice, { body })
    const phone = client(bob)
    const shown = (extension: Extension) =>
      Object.values((extension?.['rooms'] ?? {}) as Record<string, { events: { content: { body: string } }[] }>)
        .flatMap(({ events }) => events.map(({ content }) => content.body))
        .toSorted()
    const ask = async (since?: string, limit?: number) => {
      const config = { ...(since ? { since } : {}), ...(limit ? { limit } : {}) }
      const extension = (await phone.sync(withExtension(name, config, 0))).extensions[name]
      return { received: shown(extension), next: String(extension ? extension['next_batch'] : since) }
    }
    const empty = await ask()
    assert.deepEqual(empty.received, [])
    for (const roomId of rooms)
      for (const body of ['a', 'b']) await stick(roomId, `${body}${rooms.indexOf(roomId as never)}`)
    for (const roomId of rooms) await say(alice, roomId)
    const first = await ask(empty.next, 3)
    assert.deepEqual(first.received, ['a0', 'a1', 'b0'])
    const rest = await ask(first.next)
    assert.deepEqual(rest.received, ['b1'])
    assert.deepEqual((await ask(rest.next)).received, [])
    await stick(rooms[0], 'newest')
    assert.deepEqual((await ask(rest.next)).received, [])
    const entered = await room(alice)
    await stick(entered, 'before')
    await say(alice, entered)
    await move(bob, entered, 'join')
    assert.deepEqual((await ask(rest.next)).received.toSorted(), ['before', 'newest'])
    for (const config of [{ limit: 0 }, { since: 'nonsense' }, { since: 7 }]) {
      const { status, body } = await phone.ask(withExtension(name, config))
      assert.deepEqual([status, body['errcode']], [400, 'M_INVALID_PARAM'])
    }
    const { body } = await phone.ask(withExtension(name, { since: 'sticky_99999999' }))
    assert.equal(body['errcode'], 'M_UNKNOWN_POS')
  })
})
