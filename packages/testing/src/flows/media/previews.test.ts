// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expirePreviews } from '@myelin/services/media/previews/expire-previews'
import sharp from 'sharp'
import { onEveryDatabase } from '../../databases.ts'
import { page, previewStage, redirect } from '../../stages/preview-stage.ts'

const png = await sharp({ create: { width: 30, height: 20, channels: 3, background: 'red' } })
  .png()
  .toBuffer()
const HOUR_MS = 3_600_000
const never = new AbortController().signal

onEveryDatabase('a URL preview', (open) => {
  test('has the metadata of the page, and its image as media of this server until it expires', async () => {
    const html = '<meta property="og:title" content="Title"><meta property="og:image" content="i.png"><p>Text</p>'
    const stage = await previewStage(open, { '/dir/page': page(html), '/dir/i.png': page(png, 'image/png') })
    const { server, clock, token } = stage
    const { status, body } = await stage.preview(stage.at('/dir/page#part'))
    const { 'og:image': image, ...others } = body
    assert.equal(status, 200)
    assert.deepEqual(others, {
      'og:title': 'Title',
      'og:description': 'Text',
      'og:image:type': 'image/png',
      'og:image:width': 30,
      'og:image:height': 20,
      'matrix:image:size': png.length,
    })
    const download = `/_matrix/client/v1/media/download/${String(image).slice('mxc://'.length)}`
    assert.equal((await server.call('GET', download, { token })).status, 200)
    // A second upload of the same bytes shares the file, which then stays.
    const upload = { token, body: png, headers: { 'content-type': 'image/png' } }
    const shared = await server.call('POST', '/_matrix/media/v3/upload', upload)
    const sharedDownload = `/_matrix/client/v1/media/download/${String(shared.body['content_uri']).slice('mxc://'.length)}`
    // So that only this test deletes.
    await server.workers.close()
    clock.jump(49 * HOUR_MS)
    await expirePreviews(server.rt, never)
    assert.equal((await server.call('GET', download, { token })).status, 404)
    assert.equal((await server.call('GET', sharedDownload, { token })).status, 200)
    await server.close()
  })

  test('is kept for an hour, and its expired image leaves no file', async () => {
    const html = '<title>T</title><img src="/i.png">'
    const stage = await previewStage(open, { '/page': page(html), '/i.png': page(png, 'image/png') })
    const { server, clock, requests } = stage
    const first = await stage.preview(stage.at('/page'))
    assert.deepEqual((await stage.preview(stage.at('/page#other'))).body, first.body)
    assert.equal(requests.length, 2)
    clock.advance(HOUR_MS)
    const second = await stage.preview(stage.at('/page'))
    assert.notEqual(second.body['og:image'], first.body['og:image'])
    assert.equal(requests.length, 4)
    // So that only this test deletes.
    await server.workers.close()
    clock.jump(49 * HOUR_MS)
    await expirePreviews(server.rt, never)
    const left = await server.rt.db.read.selectFrom('media').selectAll().execute()
    const rows = await server.rt.db.read.selectFrom('url_previews').selectAll().execute()
    const images = await server.rt.db.read.selectFrom('preview_images').selectAll().execute()
    assert.deepEqual([left, rows, images], [[], [], []])
    const sha256 = Buffer.from(await crypto.subtle.digest('SHA-256', Uint8Array.from(png)))
    await assert.rejects(server.rt.blobs.read(sha256), /the file is missing/)
    await server.close()
  })

  test('is made once for concurrent requests, at both paths', async () => {
    const stage = await previewStage(open, { '/page': page('<title>T</title>') })
    const { server, token, requests } = stage
    const url = encodeURIComponent(stage.at('/page'))
    const paths = ['client/v1/media', 'media/v3', 'media/r0', 'media/v1']
    const answers = await Promise.all(
      paths.map((path) => server.call('GET', `/_matrix/${path}/preview_url?url=${url}&ts=1510610716656`, { token })),
    )
    for (const { status, body } of answers) assert.deepEqual([status, body], [200, { 'og:title': 'T' }])
    assert.equal(requests.length, 1)
    await server.close()
  })

  test('that fails is not tried again for a minute', async () => {
    const stage = await previewStage(open, {})
    const { clock, requests } = stage
    for (let n = 0; n < 3; n++) {
      const { status, body } = await stage.preview(stage.at('/absent'))
      assert.deepEqual([status, body], [502, { errcode: 'M_UNKNOWN', error: 'the page answered 404' }])
    }
    assert.equal(requests.length, 1)
    clock.advance(60_000)
    await stage.preview(stage.at('/absent'))
    assert.equal(requests.length, 2)
    await stage.server.close()
  })
})

test('a URL preview of an image is the image', async () => {
  const stage = await previewStage(undefined, {
    '/i': (_, reply) => {
      reply
        .writeHead(200, { 'content-type': 'image/png', 'content-disposition': 'inline; filename="red.png"' })
        .end(png)
    },
  })
  const { body } = await stage.preview(stage.at('/i'))
  assert.deepEqual(
    { ...body, 'og:image': String(body['og:image']).slice(0, 14) },
    {
      'og:description': 'red.png',
      'og:image': 'mxc://one.test',
      'og:image:type': 'image/png',
      'og:image:width': 30,
      'og:image:height': 20,
      'matrix:image:size': png.length,
    },
  )
  await stage.server.close()
})

test('a URL preview asks the oEmbed endpoint that the page links to, and the known ones in place of the page', async () => {
  const embedded = { version: '1.0', type: 'rich', title: 'Embedded', html: '<p>Inner</p>', thumbnail_url: '/i.png' }
  const stage = await previewStage(
    undefined,
    {
      '/page': page(
        '<title>Page</title><link rel="alternate" type="application/json+oembed" href="/o"><p>Outer text</p>',
      ),
      '/o': page(JSON.stringify(embedded), 'application/json'),
      '/i.png': page(png, 'image/png'),
    },
    { oembedEndpoints: [{ schemes: ['http://pages.test:*/known*'], url: 'http://x.test/o' }] },
  )
  const { body } = await stage.preview(stage.at('/page'))
  const { 'og:image': image, 'og:title': title, 'og:description': text, 'og:url': url } = body
  assert.deepEqual([title, text, url], ['Embedded', 'Inner', stage.at('/page')])
  assert.match(String(image), /^mxc:/)
  // The known endpoint has no address, so the page itself is asked.
  await stage.preview(stage.at('/known'))
  assert.ok(stage.requests.includes('pages.test/known'))
  await stage.server.close()
})

test('a URL preview follows redirects, and its image is relative to the last page', async () => {
  const stage = await previewStage(undefined, {
    '/a': redirect('/b/c'),
    '/b/c': redirect('page'),
    '/b/page': page('<title>T</title><img src="i.png">'),
    '/b/i.png': page(png, 'image/png'),
  })
  const { body } = await stage.preview(stage.at('/a'))
  assert.equal(body['og:image:width'], 30)
  await stage.server.close()
})
