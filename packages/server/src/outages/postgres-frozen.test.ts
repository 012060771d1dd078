// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import { createDatabase, testOnPostgres } from '@myelin/testing/databases'
import { openGateway } from '@myelin/testing/outages/gateway'
import type { Gateway } from '@myelin/testing/outages/gateway'
import { assertUnavailable } from '@myelin/testing/outages/unavailable'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import pg from 'pg'

interface Stage {
  readonly server: TestServer
  readonly gateway: Gateway
  /** Runs SQL past the gateway. */
  readonly sql: (text: string) => Promise<unknown>
  readonly send: (txnId: string) => ReturnType<TestServer['call']>
  /** Returns the number of messages of the room. */
  readonly messages: () => Promise<number>
  readonly call: (method: string, path: string, body?: unknown) => ReturnType<TestServer['call']>
}

/** Runs a test on a server that reaches its database through a gateway, and waits half a second for its answers. */
async function onStage(test: (stage: Stage) => Promise<void>): Promise<void> {
  const created = await createDatabase()
  const gateway = await openGateway(created.url)
  const failures: unknown[] = []
  const server = await testServer(async (events) =>
    openPostgres(
      { connectionString: gateway.url, maxReaders: 2, answerMs: 500 },
      { committed: () => {}, ...events, failed: (cause) => failures.push(cause) },
    ),
  )
  const client = new pg.Client({ connectionString: created.url })
  await client.connect()
  const { token } = await server.register('alice')
  const call: Stage['call'] = (method, path, body) =>
    server.call(method, path, { token, ...(body === undefined ? {} : { body }) })
  const { body: room } = await call('POST', '/_matrix/client/v3/createRoom', {})
  const path = `/_matrix/client/v3/rooms/${String(room['room_id'])}`
  await test({
    server,
    gateway,
    sql: (text) => client.query(text),
    call,
    send: (txnId) => call('PUT', `${path}/send/m.room.message/${txnId}`, { msgtype: 'm.text', body: txnId }),
    messages: async () => {
      const { body } = await call('GET', `${path}/messages?dir=b&limit=100`)
      return (body['chunk'] as { type: string }[]).filter(({ type }) => type === 'm.room.message').length
    },
  })
  assert.deepEqual(failures, [])
  await client.end()
  await server.close()
  await gateway.shut()
  await created.drop()
}

const SYNC = '/_matrix/client/v3/sync'
const CREATE = '/_matrix/client/v3/createRoom'

testOnPostgres('while PostgreSQL hangs requests get 503 with Retry-After, and afterwards all goes on', () =>
  onStage(async ({ server, gateway, call, send, messages }) => {
    for (const round of [1, 2]) {
      gateway.freeze()
      const answers = await Promise.all([send(`a${round}`), send(`b${round}`), call('GET', SYNC)])
      for (const answer of answers) assertUnavailable(answer)
      // Connections that are opened meanwhile hang as well.
      assertUnavailable(await send(`a${round}`))
      const health = await server.call('GET', '/health')
      assert.equal(health.status, 503)
      gateway.thaw()
      for (const txnId of [`a${round}`, `b${round}`]) assert.equal((await send(txnId)).status, 200)
      assert.equal((await call('GET', SYNC)).status, 200)
      assert.equal((await server.call('GET', '/health')).status, 200)
      assert.equal(await messages(), 2 * round)
    }
  }),
)

testOnPostgres('a server whose connections to PostgreSQL were lost without a word opens others', () =>
  onStage(async ({ gateway, server, call, send, messages }) => {
    gateway.lose()
    const [sent, read] = await Promise.all([send('a'), call('GET', SYNC)])
    for (const answer of [sent, read]) assertUnavailable(answer)
    // The first that is found to be lost gives all others a try; at most one more request meets one that was not found yet.
    const again = async (request: () => ReturnType<typeof send>) => {
      const first = await request()
      return first.status === 503 ? request() : first
    }
    assert.equal((await again(() => send('a'))).status, 200)
    assert.equal((await again(() => call('GET', SYNC))).status, 200)
    await server.rt.db.catchUp()
    assert.equal(await messages(), 1)
  }),
)

testOnPostgres('a statement that takes long is not taken for a server that hangs', () =>
  onStage(async ({ gateway, sql, messages }) => {
    await sql('begin')
    await sql('lock table events in access exclusive mode')
    const read = messages()
    // Each time that it is silent for long, the server is asked over another connection.
    for (const _ of [1, 2, 3]) await gateway.nextConnection()
    await sql('commit')
    assert.equal(await read, 0)
  }),
)

testOnPostgres('while another node holds the log for too long writes get 503 with Retry-After', () =>
  onStage(async ({ server, sql, call, send, messages }) => {
    await sql('begin')
    await sql('select position from log for update')
    for (const answer of await Promise.all([send('a'), send('b')])) assertUnavailable(answer)
    assert.equal((await call('GET', SYNC)).status, 200)
    assert.equal((await server.call('GET', '/health')).status, 503)
    await sql('commit')
    for (const txnId of ['a', 'b']) assert.equal((await send(txnId)).status, 200)
    assert.equal((await server.call('GET', '/health')).status, 200)
    assert.equal(await messages(), 2)
  }),
)

testOnPostgres('a request whose commit does not end gets 503, and its repetition the event of the first', () =>
  onStage(async ({ sql, call, send, messages }) => {
    // The server says that it is at work, as with a disk that hangs or a standby that does not answer.
    await sql(`create function wait() returns trigger language plpgsql as
      $$ begin perform pg_advisory_xact_lock(1); return null; end $$`)
    await sql(`create constraint trigger late after insert on events deferrable initially deferred
      for each row execute function wait()`)
    await sql('select pg_advisory_lock(1)')
    assertUnavailable(await send('a'))
    // The old transaction still holds the log.
    assertUnavailable(await send('a'))
    assert.equal((await call('GET', SYNC)).status, 200)
    await sql('select pg_advisory_unlock(1)')
    const { status, body } = await send('a')
    assert.equal(status, 200)
    assert.equal((await send('a')).body['event_id'], body['event_id'])
    assert.equal(await messages(), 1)
  }),
)

testOnPostgres('a request in whose commit PostgreSQL freezes gets 503, and its repetition one event', () =>
  onStage(async ({ gateway, send, messages }) => {
    for (const [round, from] of (['client', 'server'] as const).entries()) {
      gateway.freezeAt(from === 'client' ? 'commit\0' : 'COMMIT\0', from)
      assertUnavailable(await send(`a${round}`))
      gateway.thaw()
      assert.equal((await send(`a${round}`)).status, 200)
      assert.equal(await messages(), round + 1)
    }
  }),
)

testOnPostgres('a request whose commit is done is answered so although the answer to the commit was lost', () =>
  onStage(async ({ gateway, call }) => {
    gateway.cutAt('COMMIT\0', 'server')
    const { status, body } = await call('POST', CREATE, {})
    assert.equal(status, 200)
    const { body: rooms } = await call('GET', '/_matrix/client/v3/joined_rooms')
    const joined = rooms['joined_rooms'] as string[]
    assert.equal(joined.length, 2)
    assert.ok(joined.includes(String(body['room_id'])))
  }),
)

testOnPostgres('a request whose commit was lost on the way gets 503, and leaves nothing', () =>
  onStage(async ({ gateway, call, send, messages }) => {
    gateway.cutAt('commit\0', 'client')
    assertUnavailable(await call('POST', CREATE, {}))
    const { body } = await call('GET', '/_matrix/client/v3/joined_rooms')
    assert.equal((body['joined_rooms'] as string[]).length, 1)
    gateway.cutAt('commit\0', 'client')
    assertUnavailable(await send('a'))
    assert.equal((await send('a')).status, 200)
    assert.equal(await messages(), 1)
  }),
)

testOnPostgres('while the disk of PostgreSQL is full writes get 503 with Retry-After, and afterwards all goes on', () =>
  onStage(async ({ server, sql, call, send, messages }) => {
    await sql(`create function refuse() returns trigger language plpgsql as
      $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$`)
    for (const table of ['events', 'moves']) {
      await sql(`create trigger full_disk before insert on ${table} for each row execute function refuse()`)
    }
    for (const answer of await Promise.all([send('a'), send('b'), call('POST', CREATE, {})])) assertUnavailable(answer)
    assert.equal((await call('GET', SYNC)).status, 200)
    assert.equal((await server.call('GET', '/health')).status, 503)
    assert.equal(await server.rt.db.outage(), 'the disk of the database is full or cannot be written')
    for (const table of ['events', 'moves']) await sql(`drop trigger full_disk on ${table}`)
    for (const txnId of ['a', 'b']) assert.equal((await send(txnId)).status, 200)
    assert.equal((await server.call('GET', '/health')).status, 200)
    assert.equal(await messages(), 2)
  }),
)
