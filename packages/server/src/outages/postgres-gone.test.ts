// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { openPostgres } from '@myelin/storage/engine/postgres/postgres'
import { createDatabase, testOnPostgres } from '@myelin/testing/databases'
import { openGateway } from '@myelin/testing/outages/gateway'
import { testServer } from '@myelin/testing/server'
import { assertUnavailable } from '@myelin/testing/outages/unavailable'

testOnPostgres('while PostgreSQL is gone requests get 503 with Retry-After, and afterwards all goes on', async () => {
  const created = await createDatabase()
  const gateway = await openGateway(created.url)
  const failures: unknown[] = []
  const server = await testServer(async (events) =>
    openPostgres(
      { connectionString: gateway.url, maxReaders: 2 },
      { committed: () => {}, ...events, failed: (cause) => failures.push(cause) },
    ),
  )
  const { token } = await server.register('alice')
  const { body: room } = await server.call('POST', '/_matrix/client/v3/createRoom', { token, body: {} })
  const send = `/_matrix/client/v3/rooms/${String(room['room_id'])}/send/m.room.message`
  const body = { msgtype: 'm.text', body: 'hello' }
  const whoami = () => server.call('GET', '/_matrix/client/v3/account/whoami', { token })

  for (const round of [1, 2]) {
    await gateway.shut()
    assertUnavailable(await server.call('PUT', `${send}/gone${round}`, { token, body }))
    assertUnavailable(await server.call('GET', '/_matrix/client/v3/sync', { token }))
    const { status } = await server.call('GET', '/health')
    assert.equal(status, 503)
    await gateway.open()
    assert.equal((await whoami()).status, 200)
    assert.equal((await server.call('PUT', `${send}/gone${round}`, { token, body })).status, 200)
    assert.equal((await server.call('GET', '/health')).status, 200)
  }
  const { body: page } = await server.call('GET', `${send.replace('/send/m.room.message', '')}/messages?dir=b`, {
    token,
  })
  const messages = (page['chunk'] as { type: string }[]).filter(({ type }) => type === 'm.room.message')
  assert.equal(messages.length, 2)
  assert.deepEqual(failures, [])
  await server.close()
  await gateway.shut()
  await created.drop()
})
