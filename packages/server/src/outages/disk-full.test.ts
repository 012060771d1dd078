// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { serverFolder, spawnServer } from '@myelin/testing/outages/spawned-server'
import { assertUnavailable } from '@myelin/testing/outages/unavailable'

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0

/** Limits the size of files that a process may write; the kernel refuses larger ones as it does on a full disk. */
function limitFiles(pid: number, size: string): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${size}:unlimited`], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
}

test('on a full disk sends and uploads get 503 with Retry-After, reads go on, and afterwards all goes on (sqlite)', {
  timeout: 60_000,
  skip: hasPrlimit ? false : 'prlimit (util-linux) is not installed',
}, async () => {
  const place = serverFolder('rc_message: {per_second: 1000, burst_count: 1000}')
  const server = await spawnServer(place.configFile)
  const { body: account } = await server.call('POST', '/_matrix/client/v3/register', {
    body: { username: 'alice', password: 'correct horse', auth: { type: 'm.login.dummy' } },
  })
  const token = String(account['access_token'])
  const { body: room } = await server.call('POST', '/_matrix/client/v3/createRoom', { token, body: {} })
  const roomPath = `/_matrix/client/v3/rooms/${String(room['room_id'])}`
  const send = (txnId: string) =>
    server.call('PUT', `${roomPath}/send/m.room.message/${txnId}`, { token, body: { msgtype: 'm.text', body: txnId } })
  const upload = () => server.call('POST', '/_matrix/media/v3/upload', { token, body: Buffer.alloc(100_000, 'x') })
  assert.equal((await send('before')).status, 200)

  limitFiles(server.pid, '1')
  assertUnavailable(await send('full'))
  for (const answer of await Promise.all(Array.from({ length: 30 }, (_, index) => send(`full${index}`)))) {
    assertUnavailable(answer)
  }
  assertUnavailable(await upload())
  assert.equal((await server.call('GET', `${roomPath}/state`, { token })).status, 200)
  const sick = await server.call('GET', '/health')
  assert.deepEqual([sick.status, sick.body['text']], [503, 'the disk of the database is full or cannot be written'])

  limitFiles(server.pid, 'unlimited')
  const again = await send('full')
  assert.equal(again.status, 200)
  // The database stays writable; the media store is checked by itself.
  assert.equal((await server.call('GET', '/health')).status, 200)
  assert.equal((await upload()).status, 200)
  const { body: page } = await server.call('GET', `${roomPath}/messages?dir=b&limit=100`, { token })
  const messages = (page['chunk'] as { type: string; event_id: string }[]).filter(
    ({ type }) => type === 'm.room.message',
  )
  assert.deepEqual(
    messages.map(({ event_id: id }) => id),
    [again.body['event_id'], messages.at(-1)?.event_id],
  )
  assert.equal(await server.stop(), 0)
  place.remove()
})
