// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MediaSettings } from '@myelin/kit/settings'
import type { ServerName } from '@myelin/matrix/ids'
import { putMedia } from '@myelin/storage/media/media'
import { onEveryDatabase } from '../../databases.ts'
import type { OpenDatabase } from '../../databases.ts'
import { testConfig } from '../../runtime.ts'
import { testServer } from '../../server.ts'

const HOUR_MS = 3_600_000
const unlimited = { infoUri: undefined, canUpgrade: false }

async function stage(open: OpenDatabase, media: Partial<MediaSettings>, rateLimits = testConfig.rateLimits) {
  const server = await testServer(open, { media: { ...testConfig.media, ...media }, rateLimits })
  const [alice, bob] = [await server.register('alice'), await server.register('bob')]
  const create = (token = alice.token) => server.call('POST', '/_matrix/media/v1/create', { token, body: {} })
  const upload = async (sizeBytes: number, token = alice.token, put?: string) => {
    const path =
      put === undefined ? '/_matrix/media/v3/upload' : `/_matrix/media/v3/upload/${put.slice('mxc://'.length)}`
    const { status, body } = await server.call(put === undefined ? 'POST' : 'PUT', path, {
      token,
      body: Buffer.alloc(sizeBytes, 1),
      headers: { 'content-type': 'text/plain' },
    })
    return { status, body }
  }
  return { server, alice, bob, create, upload }
}

onEveryDatabase('media limits', (open) => {
  test('refuse uploads beyond the bytes of a time, per user, and let them again later', async () => {
    const uploadLimits = [
      { maxBytes: 100, periodMs: HOUR_MS, ...unlimited },
      { maxBytes: 150, periodMs: 24 * HOUR_MS, infoUri: 'https://one.test/more', canUpgrade: true },
    ]
    const { server, bob, upload } = await stage(open, { uploadLimits })
    assert.equal((await upload(60)).status, 200)
    assert.deepEqual(await upload(41), {
      status: 403,
      body: {
        errcode: 'M_USER_LIMIT_EXCEEDED',
        error: 'the upload limit of this user is reached',
        info_uri: 'https://one.test/_synapse/client/media_upload_limit_exceeded',
      },
    })
    assert.equal((await upload(40)).status, 200)
    assert.equal((await upload(100, bob.token)).status, 200)
    server.rt.clock.advance(HOUR_MS)
    const { status, body } = await upload(51)
    assert.deepEqual([status, body['info_uri'], body['can_upgrade']], [403, 'https://one.test/more', true])
    assert.equal((await upload(50)).status, 200)
    server.rt.clock.advance(24 * HOUR_MS)
    assert.equal((await upload(100)).status, 200)
    await server.close()
  })

  test('count uploads to reserved media IDs', async () => {
    const uploadLimits = [{ maxBytes: 100, periodMs: HOUR_MS, ...unlimited }]
    const { server, alice, create, upload } = await stage(open, { uploadLimits })
    const [first, second] = [await create(), await create()].map(({ body }) => String(body['content_uri']))
    assert.equal((await upload(60, alice.token, first)).status, 200)
    assert.equal((await upload(60, alice.token, second)).body['errcode'], 'M_USER_LIMIT_EXCEEDED')
    assert.equal((await upload(40, alice.token, second)).status, 200)
    await server.close()
  })

  test('bound the media IDs that a user reserves, until these expire', async () => {
    const { server, bob, create } = await stage(open, { maxPending: 2, unusedMs: HOUR_MS })
    const [first] = [await create(), await create()]
    assert.equal(first.body['unused_expires_at'], server.rt.clock.now() + HOUR_MS)
    const refused = await create()
    assert.deepEqual([refused.status, refused.body['errcode']], [429, 'M_LIMIT_EXCEEDED'])
    assert.equal((await create(bob.token)).status, 200)
    server.rt.clock.advance(HOUR_MS)
    assert.equal((await create()).status, 200)
    await server.close()
  })

  test('hide the media of blocked servers from users, also those in the store', async () => {
    const blockedServers = ['evil.test', 'one.test']
    const { server, alice, upload } = await stage(open, { blockedServers })
    const content = {
      sha256: new Uint8Array(32),
      sizeBytes: 0,
      contentType: 'image/png',
      fileName: undefined,
    }
    const media = {
      mediaId: 'm',
      userId: undefined,
      createdTs: 0,
      unusedExpiresTs: undefined,
      isAuthenticatedOnly: false,
    }
    await server.rt.db.write((tx) => putMedia(tx, { ...media, serverName: 'evil.test' as ServerName, content }))
    for (const path of ['client/v1/media/download', 'media/v3/download', 'client/v1/media/thumbnail']) {
      const url = `/_matrix/${path}/evil.test/m?width=10&height=10`
      const { status, body } = await server.call('GET', url, { token: alice.token })
      assert.deepEqual([status, body['error']], [404, 'no such media'], path)
    }
    // As in Synapse, the setting is about other servers.
    const uri = String((await upload(3)).body['content_uri']).slice('mxc://'.length)
    const own = await server.call('GET', `/_matrix/client/v1/media/download/${uri}`, { token: alice.token })
    assert.equal(own.status, 200)
    await server.close()
  })

  test('slow down those who reserve media IDs', async () => {
    const mediaCreate = { perSecond: 1, burstCount: 2 }
    const { server, create } = await stage(open, { maxPending: 100 }, { ...testConfig.rateLimits, mediaCreate })
    assert.deepEqual([(await create()).status, (await create()).status, (await create()).status], [200, 200, 429])
    server.rt.clock.advance(1000)
    assert.equal((await create()).status, 200)
    await server.close()
  })

  test('are explained by a page', async () => {
    const { server } = await stage(open, {})
    const { status, headers } = await server.call('GET', '/_synapse/client/media_upload_limit_exceeded')
    assert.deepEqual([status, headers['content-type']], [200, 'text/html; charset=utf-8'])
    await server.close()
  })
})
