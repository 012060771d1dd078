// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import { mediaByName, putMedia } from '@myelin/storage/media/media'
import { testConfig } from '@myelin/testing/runtime'
import { onReplyMismatch } from '@myelin/testing/reply-mismatch'
import { testServer } from '@myelin/testing/server'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { buildApp } from '../app/app.ts'
import { mediaEndpoints } from './endpoints.ts'

describe('media where enable_authenticated_media is off', () => {
  test('of this server are served without a token, also those uploaded while it was on', async () => {
    const server = await testServer(undefined, { media: { ...testConfig.media, requiresAuthentication: false } })
    const { token } = await server.register('alice')
    const app = buildApp(server.rt, mediaEndpoints, { isForwarded: false, maxBodyBytes: 1000, onReplyMismatch })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'text/plain' }
    const uploaded = await fetch(`${url}/_matrix/media/v3/upload`, { method: 'POST', headers, body: 'text' })
    const { content_uri: uri } = (await uploaded.json()) as { content_uri: string }
    const mediaId = uri.slice('mxc://one.test/'.length)
    const name = { serverName: 'one.test' as ServerName, mediaId }
    const media = await mediaByName(server.rt.db.read, name)
    assert.equal(media?.isAuthenticatedOnly, false)
    const [before, foreign] = [
      { ...media, mediaId: 'before', isAuthenticatedOnly: true },
      { ...media, serverName: 'two.test' as ServerName, isAuthenticatedOnly: true },
    ]
    await server.rt.db.write(async (tx) => {
      for (const each of [before, foreign]) await putMedia(tx, each)
    })
    const status = async (rest: string) => (await fetch(`${url}/_matrix/media/v3/download/${rest}`)).status
    assert.deepEqual(
      await Promise.all([`one.test/${mediaId}`, 'one.test/before', `two.test/${mediaId}`].map(status)),
      [200, 200, 404],
    )
    await app.close()
    await server.close()
  })
})
