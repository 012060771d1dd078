// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import { onEveryDatabase } from '@myelin/testing/databases'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mediaByName, putMedia } from './media.ts'
import {
  dropExpiredImages,
  dropExpiredPreviews,
  isContentUsed,
  previewOf,
  putPreview,
  putPreviewImage,
} from './url-previews.ts'

const serverName = 'one.test' as ServerName
const kept = (expiresTs: number) => ({ answer: `{"n":${expiresTs}}`, isFailure: false, expiresTs })

onEveryDatabase('URL previews', (open) => {
  test('are the last of their URL, until they expire', async () => {
    const db = await open()
    const long = `https://a.test/${'x'.repeat(4000)}`
    await db.write((tx) => putPreview(tx, long, kept(5)))
    await db.write((tx) => putPreview(tx, 'https://b.test/', { answer: 'no', isFailure: true, expiresTs: 3 }))
    assert.deepEqual(await previewOf(db.read, long, 4), kept(5))
    assert.equal(await previewOf(db.read, long, 5), undefined)
    await db.write((tx) => putPreview(tx, long, kept(9)))
    assert.deepEqual(await previewOf(db.read, long, 8), kept(9))
    assert.equal((await previewOf(db.read, 'https://b.test/', 2))?.isFailure, true)
    await db.close()
  })

  test('are deleted in steps, those that expired first before the others', async () => {
    const db = await open()
    for (const n of [1, 2, 3, 9]) await db.write((tx) => putPreview(tx, `https://a.test/${n}`, kept(n)))
    const drop = () => db.write((tx) => dropExpiredPreviews(tx, 3, 2))
    assert.equal(await drop(), 2)
    assert.ok(await previewOf(db.read, 'https://a.test/3', 0))
    assert.deepEqual([await drop(), await drop()], [1, 0])
    assert.ok(await previewOf(db.read, 'https://a.test/9', 0))
    await db.close()
  })

  test('have images that expire with their media, and not those of users', async () => {
    const db = await open()
    const content = { sha256: new Uint8Array(32).fill(7), sizeBytes: 3, contentType: 'image/png', fileName: undefined }
    const media = { serverName, userId: undefined, createdTs: 0, unusedExpiresTs: undefined, isAuthenticatedOnly: true }
    await db.write(async (tx) => {
      for (const mediaId of ['image', 'upload']) await putMedia(tx, { ...media, mediaId, content })
      await putPreviewImage(tx, 'image', 5)
    })
    const drop = (now: number) => db.write((tx) => dropExpiredImages(tx, serverName, { now, limit: 10 }))
    assert.deepEqual(await drop(4), { count: 0, hashes: [] })
    const { count, hashes } = await drop(5)
    assert.deepEqual([count, hashes.map((hash) => Buffer.from(hash))], [1, [Buffer.from(content.sha256)]])
    assert.equal(await mediaByName(db.read, { serverName, mediaId: 'image' }), undefined)
    assert.ok(await mediaByName(db.read, { serverName, mediaId: 'upload' }))
    assert.equal(await isContentUsed(db.read, content.sha256), true)
    assert.equal(await isContentUsed(db.read, new Uint8Array(32)), false)
    await db.close()
  })
})
