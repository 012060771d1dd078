// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Readable } from 'node:stream'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import type { ServerName } from '@myelin/matrix/ids'
import { expireRemoteMedia } from '@myelin/services/media/expire-remote-media'
import { putMedia } from '@myelin/storage/media/media'
import { onEveryDatabase } from '../../databases.ts'
import { testConfig } from '../../runtime.ts'
import { testServer } from '../../server.ts'

const DAY_MS = 86_400_000
const never = new AbortController().signal

onEveryDatabase('remote media', (open) => {
  test('go with their files when nobody accessed them for their lifetime, and media of this server stay', async () => {
    // Ages of files count in the time of the machine.
    const clock = new StoppedClock(Date.now())
    const media = { ...testConfig.media, remoteLifetimeMs: 10 * DAY_MS }
    const server = await testServer(open, { media }, { clock })
    const { rt } = server
    const { token } = await server.register('alice')
    const store = async (serverName: string, mediaId: string, text: string) => {
      const blob = await rt.blobs.receive(Readable.from([Buffer.from(text)]), 100)
      const content = { sha256: blob.sha256, sizeBytes: blob.sizeBytes, contentType: 'text/plain', fileName: undefined }
      await rt.db.write(async (tx) => {
        const name = { serverName: serverName as ServerName, mediaId }
        const meta = {
          userId: undefined,
          createdTs: clock.now(),
          unusedExpiresTs: undefined,
          isAuthenticatedOnly: true,
        }
        await putMedia(tx, { ...name, ...meta, content })
        await blob.keep()
      })
      return blob.sha256
    }
    const unused = await store('two.test', 'unused', 'unused')
    await store('two.test', 'used', 'used')
    await store('two.test', 'shared', 'own')
    const own = await store('one.test', 'own', 'own')
    const statusOf = async (name: string) =>
      (await server.call('GET', `/_matrix/client/v1/media/download/${name}?allow_remote=false`, { token })).status
    const left = async () =>
      (await rt.db.read.selectFrom('media').select('media_id').orderBy('media_id').execute()).map((row) => row.media_id)

    // So that only this test deletes.
    await server.workers.close()
    clock.jump(8 * DAY_MS)
    assert.equal(await statusOf('two.test/used'), 200)
    clock.jump(2 * DAY_MS)
    await expireRemoteMedia(rt, never)
    assert.deepEqual(await left(), ['own', 'shared', 'unused', 'used'])
    clock.jump(DAY_MS + 1)
    await expireRemoteMedia(rt, never)
    assert.deepEqual(await left(), ['own', 'used'])
    assert.deepEqual([await statusOf('two.test/unused'), await statusOf('one.test/own')], [404, 200])
    await assert.rejects(rt.blobs.read(unused), /the file is missing/)
    ;(await rt.blobs.read(own)).destroy()
    clock.jump(DAY_MS)
    assert.equal(await statusOf('two.test/used'), 200)
    clock.jump(10 * DAY_MS)
    await expireRemoteMedia(rt, never)
    assert.deepEqual(await left(), ['own', 'used'])
    await server.close()
  })

  test('stay for ever without a lifetime', async () => {
    const server = await testServer(open)
    const meta = { userId: undefined, createdTs: 0, unusedExpiresTs: undefined, isAuthenticatedOnly: true }
    const content = { sha256: new Uint8Array(32), sizeBytes: 0, contentType: 'text/plain', fileName: undefined }
    await server.rt.db.write((tx) =>
      putMedia(tx, { serverName: 'two.test' as ServerName, mediaId: 'm', ...meta, content }),
    )
    await expireRemoteMedia(server.rt, never)
    assert.equal((await server.rt.db.read.selectFrom('media').selectAll().execute()).length, 1)
    await server.close()
  })
})
