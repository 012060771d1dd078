// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { onEveryDatabase } from '@myelin/testing/databases'
import { testServer } from '@myelin/testing/server'
import { SYNC_SECTIONS } from './sections.ts'

onEveryDatabase('a sync answer', (open) => {
  test('without changes has the unchanged value of each section, and the key counts', async () => {
    const server = await testServer(open)
    const { token } = await server.register('alice')
    const first = await server.call('GET', '/_matrix/client/v3/sync', { token })
    const { next_batch: since } = first.body
    const { body } = await server.call('GET', `/_matrix/client/v3/sync?since=${String(since)}`, { token })
    const { next_batch: _next, ...members } = body
    const rooms = new Map(Object.entries(members['rooms'] as Record<string, unknown>))
    const seen = SYNC_SECTIONS.map(({ path: [first, second] }) =>
      second === undefined ? members[first] : rooms.get(second),
    )
    assert.deepEqual(
      seen.filter((_, index) => !SYNC_SECTIONS[index]?.isQuiet),
      SYNC_SECTIONS.filter(({ isQuiet }) => !isQuiet).map(({ unchanged }) => unchanged),
    )
    assert.equal(
      seen.some((value, index) => value === undefined && SYNC_SECTIONS[index]?.isQuiet),
      false,
    )
    assert.deepEqual(members['device_one_time_keys_count'], { signed_curve25519: 0 })
    await server.close()
  })

  test('has no entry for a joined room in which the filter hides everything', async () => {
    const server = await testServer(open)
    const alice = await server.register('alice')
    const { body: room } = await server.call('POST', '/_matrix/client/v3/createRoom', { token: alice.token, body: {} })
    const filter = encodeURIComponent(JSON.stringify({ room: { timeline: { types: ['m.none'] } } }))
    const sync = async (since: string) => {
      const path = `/_matrix/client/v3/sync?filter=${filter}${since}`
      return (await server.call('GET', path, { token: alice.token })).body
    }
    const first = await sync('')
    const path = `/_matrix/client/v3/rooms/${String(room['room_id'])}/send/m.room.message/1`
    await server.call('PUT', path, { token: alice.token, body: { msgtype: 'm.text', body: 'unseen' } })
    const second = await sync(`&since=${String(first['next_batch'])}`)
    assert.equal(Object.keys((first['rooms'] as { join: object }).join).length, 1)
    assert.deepEqual((second['rooms'] as { join: object }).join, {})
    await server.close()
  })
})
