// SPDX-License-Identifier: Apache-2.0
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

const v3 = '/_matrix/client/v3'
type Content = Record<string, unknown>
type SyncRoom = {
  readonly ephemeral: { readonly events: readonly { type: string; content: Content }[] }
  readonly account_data: { readonly events: readonly { type: string; content: Content }[] }
  readonly unread_notifications: { readonly notification_count: number }
}

describe('receipts', () => {
  let server: TestServer
  let tokens: { alice: string; bob: string; carol: string }
  let roomId: string
  let other: string
  let txn = 0
  before(async () => {
    server = await testServer()
    const token = async (name: string) => (await server.register(name)).token
    tokens = { alice: await token('alice'), bob: await token('bob'), carol: await token('carol') }
    roomId = await makeRoom()
    server.rt.clock.advance(1)
    other = await makeRoom()
  })
  after(() => server.close())

  async function makeRoom(): Promise<string> {
    const made = await server.call('POST', `${v3}/createRoom`, {
      token: tokens.alice,
      body: { preset: 'public_chat' },
    })
    const id = String(made.body['room_id'])
    await server.call('POST', `${v3}/rooms/${encodeURIComponent(id)}/join`, { token: tokens.bob })
    return id
  }
  async function send(content: object = {}, room = roomId): Promise<string> {
    const path = `${v3}/rooms/${encodeURIComponent(room)}/send/m.room.message/${++txn}`
    const body = { msgtype: 'm.text', body: 'hello', ...content }
    const answer = await server.call('PUT', path, { token: tokens.alice, body })
    assert.equal(answer.status, 200, JSON.stringify(answer.body))
    return String(answer.body['event_id'])
  }
  const inThread = (root: string) => ({ 'm.relates_to': { rel_type: 'm.thread', event_id: root } })
  const reference = (to: string) => ({ 'm.relates_to': { rel_type: 'm.reference', event_id: to } })
  const receipt = (eventId: string, body: unknown = {}, kind = 'm.read', token = tokens.bob) =>
    server.call('POST', `${v3}/rooms/${encodeURIComponent(roomId)}/receipt/${kind}/${encodeURIComponent(eventId)}`, {
      token,
      body,
    })
  const markers = (body: unknown, token = tokens.bob) =>
    server.call('POST', `${v3}/rooms/${encodeURIComponent(roomId)}/read_markers`, { token, body })
  async function sync(token: string, since?: string): Promise<{ room: SyncRoom | undefined; since: string }> {
    const filter = encodeURIComponent('{"room":{"timeline":{"unread_thread_notifications":true}}}')
    const query = `filter=${filter}${since === undefined ? '' : `&since=${since}`}`
    const { body } = await server.call('GET', `${v3}/sync?${query}`, { token })
    const { join } = body['rooms'] as { join: Record<string, SyncRoom> }
    return { room: join[roomId], since: String(body['next_batch']) }
  }
  const receiptsIn = (room: SyncRoom | undefined): Content =>
    room?.ephemeral.events.find(({ type }) => type === 'm.receipt')?.content ?? {}

  test('are in the sync of every member once, and in an initial sync', async () => {
    const event = await send()
    const before = await sync(tokens.alice)
    assert.deepEqual((await receipt(event)).body, {})
    const expected = { 'm.read': { '@bob:one.test': { ts: server.rt.clock.now() } } }
    const next = await sync(tokens.alice, before.since)
    assert.deepEqual(receiptsIn(next.room), { [event]: expected })
    assert.equal((await sync(tokens.alice, next.since)).room, undefined)
    assert.deepEqual(receiptsIn((await sync(tokens.alice)).room)[event], expected)
  })

  test('reset the unread counts, and never move back', async () => {
    const [older, newer] = [await send(), await send()]
    assert.equal((await sync(tokens.bob)).room?.unread_notifications.notification_count, 2)
    await receipt(newer)
    const { room, since } = await sync(tokens.bob)
    assert.equal(room?.unread_notifications.notification_count, 0)
    assert.equal((await receipt(older)).status, 200)
    assert.equal((await sync(tokens.bob, since)).room, undefined)
  })

  test('that are private are returned to their user only, and reset the counts too', async () => {
    const event = await send()
    const [alice, bob] = [await sync(tokens.alice), await sync(tokens.bob)]
    await receipt(event, {}, 'm.read.private')
    assert.equal((await sync(tokens.alice, alice.since)).room, undefined)
    const { room } = await sync(tokens.bob, bob.since)
    assert.deepEqual(Object.keys(receiptsIn(room)[event] as object), ['m.read.private'])
    assert.equal(room?.unread_notifications.notification_count, 0)
  })

  test('apply to their thread', async () => {
    const root = await send()
    const reply = await send(inThread(root))
    const about = await send(reference(reply))
    const aboutRoot = await send(reference(root))
    const plain = await send()
    const cases = [
      [reply, root, 200],
      [about, root, 200],
      [root, root, 200],
      [aboutRoot, root, 200],
      [root, 'main', 200],
      [aboutRoot, 'main', 200],
      [plain, 'main', 200],
      [reply, 'main', 400],
      [about, 'main', 400],
      [plain, root, 400],
      [reply, plain, 400],
      [plain, plain, 400],
      [plain, '$never', 400],
      [plain, '__proto__', 400],
    ] as const
    for (const [event, thread, status] of cases) {
      const answer = await receipt(event, { thread_id: thread })
      assert.deepEqual(
        [answer.status, answer.body['errcode']],
        [status, status === 200 ? undefined : 'M_INVALID_PARAM'],
      )
    }
    const shown = receiptsIn((await sync(tokens.alice)).room)
    const threadOf = (event: string) =>
      (shown[event] as { 'm.read': { '@bob:one.test': { thread_id?: string } } })['m.read']['@bob:one.test'].thread_id
    assert.deepEqual([threadOf(aboutRoot), threadOf(plain)], [root, 'main'])
  })

  test('store the read marker as account data of the room, and never move it back', async () => {
    const [older, newer] = [await send(), await send()]
    const { since } = await sync(tokens.bob)
    assert.deepEqual((await markers({ 'm.fully_read': newer, 'm.read': newer, 'm.read.private': newer })).body, {})
    const next = await sync(tokens.bob, since)
    const entry = { type: 'm.fully_read', content: { event_id: newer } }
    assert.deepEqual(next.room?.account_data.events, [entry])
    assert.deepEqual(Object.keys(receiptsIn(next.room)[newer] as object).toSorted(), ['m.read', 'm.read.private'])
    assert.equal((await receipt(older, {}, 'm.fully_read')).status, 200)
    assert.equal((await markers({})).status, 200)
    assert.equal((await sync(tokens.bob, next.since)).room, undefined)
    assert.deepEqual((await sync(tokens.bob)).room?.account_data.events, [entry])
  })

  test('are refused together', async () => {
    const [event, elsewhere] = [await send(), await send({}, other)]
    const { since } = await sync(tokens.bob)
    const answer = await markers({ 'm.fully_read': event, 'm.read': event, 'm.read.private': elsewhere })
    assert.deepEqual([answer.status, answer.body['errcode']], [404, 'M_NOT_FOUND'])
    assert.equal((await sync(tokens.bob, since)).room, undefined)
  })

  test('that are invalid are refused', async () => {
    const event = await send()
    const refusals = [
      [receipt('$never'), 404, 'M_NOT_FOUND'],
      [receipt('event'), 400, 'M_INVALID_PARAM'],
      [receipt(await send({}, other)), 404, 'M_NOT_FOUND'],
      [receipt(event, {}, 'm.read', tokens.carol), 403, 'M_FORBIDDEN'],
      [markers({ 'm.read': event }, tokens.carol), 403, 'M_FORBIDDEN'],
      [receipt(event, {}, 'm.delivered'), 400, 'M_INVALID_PARAM'],
      [receipt(event, {}, '__proto__'), 400, 'M_INVALID_PARAM'],
      [receipt(event, { thread_id: '' }), 400, 'M_INVALID_PARAM'],
      [receipt(event, { thread_id: 5 }), 400, 'M_INVALID_PARAM'],
      [receipt(event, { thread_id: null }), 400, 'M_INVALID_PARAM'],
      [receipt(event, { thread_id: 'main' }, 'm.fully_read'), 400, 'M_INVALID_PARAM'],
      [receipt(event, []), 400, 'M_BAD_JSON'],
      [markers({ 'm.read': 5 }), 400, 'M_BAD_JSON'],
      [markers('{'), 400, 'M_NOT_JSON'],
    ] as const
    for (const [call, status, code] of refusals) {
      const answer = await call
      assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
    }
  })

  describe('typing', () => {
    const typing = (body: unknown, user = '@bob:one.test', token = tokens.bob, room = roomId) =>
      server.call('PUT', `${v3}/rooms/${encodeURIComponent(room)}/typing/${user}`, { token, body })
    const typers = (room: SyncRoom | undefined) =>
      room?.ephemeral.events.find(({ type }) => type === 'm.typing')?.content['user_ids']

    test('is sent when it starts, in an initial sync, and when it times out', async () => {
      const before = await sync(tokens.alice)
      assert.deepEqual((await typing({ typing: true, timeout: 5000 })).body, {})
      const during = await sync(tokens.alice, before.since)
      assert.deepEqual(typers(during.room), ['@bob:one.test'])
      assert.deepEqual(typers((await sync(tokens.alice)).room), ['@bob:one.test'])
      assert.equal((await sync(tokens.alice, during.since)).room, undefined)
      server.rt.clock.advance(5000)
      const afterwards = await sync(tokens.alice, during.since)
      assert.deepEqual(typers(afterwards.room), [])
    })

    test('ends when the user stops', async () => {
      await typing({ typing: true })
      const { since } = await sync(tokens.alice)
      await typing({ typing: false })
      assert.deepEqual(typers((await sync(tokens.alice, since)).room), [])
    })

    test('that is invalid is refused', async () => {
      const refusals = [
        [typing({ typing: true }, '@alice:one.test'), 403, 'M_FORBIDDEN'],
        [typing({ typing: true }, '@carol:one.test', tokens.carol), 403, 'M_FORBIDDEN'],
        [typing({ typing: true }, '@bob:one.test', tokens.bob, '!never:one.test'), 403, 'M_FORBIDDEN'],
        [typing({}), 400, 'M_MISSING_PARAM'],
        [typing({ typing: 'yes' }), 400, 'M_BAD_JSON'],
        [typing({ typing: true, timeout: '5' }), 400, 'M_BAD_JSON'],
        [typing({ typing: true, timeout: 0.5 }), 400, 'M_BAD_JSON'],
      ] as const
      for (const [call, status, code] of refusals) {
        const answer = await call
        assert.deepEqual([answer.status, answer.body['errcode']], [status, code])
      }
    })
  })
})
