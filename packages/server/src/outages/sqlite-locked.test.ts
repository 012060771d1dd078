// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { openSqlite } from '@myelin/storage/engine/sqlite/sqlite'
import { testOnSqlite } from '@myelin/testing/databases'
import { testServer } from '@myelin/testing/server'
import { assertUnavailable } from '@myelin/testing/outages/unavailable'

/** Takes the write lock of a database file in another process; the returned function ends that. */
async function lockedBy(path: string): Promise<() => Promise<void>> {
  const script = `const sqlite = new (require('node:sqlite').DatabaseSync)(process.argv[1])
    sqlite.exec('begin immediate')
    process.stdout.write('locked')
    setInterval(() => {}, 60_000)`
  const child = spawn(process.execPath, ['-e', script, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  return async () => {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
}

testOnSqlite(
  'while another process locks the SQLite file, reads go on, writes get 503, and nothing is half written',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'myelin-locked-'))
    const path = join(folder, 'homeserver.db')
    const server = await testServer(async (events) =>
      openSqlite(path, { committed: () => {}, ...events }, { lockWaitMs: 200 }),
    )
    const { token } = await server.register('alice')
    const { body: room } = await server.call('POST', '/_matrix/client/v3/createRoom', { token, body: {} })
    const roomPath = `/_matrix/client/v3/rooms/${String(room['room_id'])}`
    const send = (txnId: string) =>
      server.call('PUT', `${roomPath}/send/m.room.message/${txnId}`, {
        token,
        body: { msgtype: 'm.text', body: txnId },
      })
    // A large batch is written by another thread, a small one is not.
    const many = () => Promise.all(Array.from({ length: 30 }, (_, index) => send(`many${index}`)))

    const unlock = await lockedBy(path)
    const writes = [send('one'), many()] as const
    assert.equal((await server.call('GET', '/_matrix/client/v3/account/whoami', { token })).status, 200)
    assert.equal((await server.call('GET', `${roomPath}/state`, { token })).status, 200)
    assertUnavailable(await writes[0])
    for (const answer of await writes[1]) assertUnavailable(answer)
    const sick = await server.call('GET', '/health')
    assert.equal(sick.status, 503)
    assert.equal(await server.rt.db.outage(), 'the database is locked by another process')
    const messages = async () => {
      const { body } = await server.call('GET', `${roomPath}/messages?dir=b&limit=100`, { token })
      return (body['chunk'] as { type: string }[]).filter(({ type }) => type === 'm.room.message').length
    }
    assert.equal(await messages(), 0)

    await unlock()
    assert.equal((await send('one')).status, 200)
    assert.deepEqual(new Set((await many()).map(({ status }) => status)), new Set([200]))
    assert.equal(await messages(), 31)
    assert.equal((await server.call('GET', '/health')).status, 200)
    await server.close()
    await rm(folder, { recursive: true })
  },
)

testOnSqlite('a write that waits for the lock of another process is done as soon as the lock is free', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'myelin-locked-'))
  const path = join(folder, 'homeserver.db')
  const db = await openSqlite(path, { committed: () => {} }, { lockWaitMs: 60_000 })
  const unlock = await lockedBy(path)
  const delay = monitorEventLoopDelay({ resolution: 5 })
  delay.enable()
  const written = db.write(async (tx) => {
    await tx.insertInto('settings').values({ name: 'a', value: 'b' }).execute()
  })
  assert.deepEqual(await db.read.selectFrom('settings').select('name').execute(), [])
  await unlock()
  await written
  delay.disable()
  assert.ok(delay.max / 1e6 < 1000, `the event loop was held for ${delay.max / 1e6} ms`)
  assert.equal((await db.read.selectFrom('settings').select('name').executeTakeFirst())?.name, 'a')
  await db.close()
  await rm(folder, { recursive: true })
})
