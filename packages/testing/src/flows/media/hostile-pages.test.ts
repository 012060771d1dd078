// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { describe, test } from 'node:test'
import type { UrlPreviewSettings } from '@myelin/kit/settings'
import sharp from 'sharp'
import { testConfig } from '../../runtime.ts'
import { testServer } from '../../server.ts'
import { page, previewStage, redirect } from '../../stages/preview-stage.ts'
import type { PreviewStage } from '../../stages/preview-stage.ts'

/** Answers with bytes that do not end by themselves. */
const endless =
  (type: string): RequestListener =>
  (_, reply) => {
    reply.writeHead(200, { 'content-type': type })
    const more = (): void => {
      while (!reply.destroyed && reply.write('<p>more</p>'.repeat(1000)));
      if (!reply.destroyed) reply.once('drain', more)
    }
    more()
  }

async function refused(stage: PreviewStage, url: string): Promise<string> {
  const { status, body } = await stage.preview(url)
  return `${status} ${String(body['errcode'])} ${String(body['error'])}`
}

describe('a URL preview is refused', () => {
  const blockedUrls: UrlPreviewSettings['blockedUrls'] = [new Map([['path', '/blocked*']])]
  const cases: Record<string, [pages: Record<string, RequestListener>, error: RegExp]> = {
    'where redirects do not end': [{ '/': redirect('/') }, /^502 M_UNKNOWN the page redirects too often$/],
    'where a redirect leads to a private address': [
      { '/': redirect('http://inside.test/') },
      /^502 M_UNKNOWN the page cannot be fetched$/,
    ],
    'where a redirect leads to a private address in numbers': [
      { '/': redirect('http://127.0.0.2/') },
      /^502 M_UNKNOWN the page cannot be fetched$/,
    ],
    'where a redirect leads to a blocked URL': [
      { '/': redirect('/blocked'), '/blocked': page('secret') },
      /^403 M_UNKNOWN URL blocked/,
    ],
    'where a redirect leads to a file': [{ '/': redirect('file:///etc/passwd') }, /^502 M_UNKNOWN only http and https/],
    'where a redirect names no URL': [
      { '/': redirect('http://[') },
      /^502 M_UNKNOWN the page answered 302 without a URL$/,
    ],
    'where the page is of no kind that can be previewed': [
      { '/': page('%PDF', 'application/pdf') },
      /^502 M_UNKNOWN the page has no content/,
    ],
    'where the page is an error': [
      { '/': page('<title>T</title>', 'text/html', 500) },
      /^502 M_UNKNOWN the page answered 500$/,
    ],
    'where the page is compressed': [
      {
        '/': (_, reply) => {
          reply.writeHead(200, { 'content-type': 'text/html', 'content-encoding': 'gzip' }).end('x')
        },
      },
      /^502 M_UNKNOWN the page is compressed/,
    ],
    'where the connection breaks': [
      {
        '/': (_, reply) => {
          reply.writeHead(200, { 'content-type': 'text/html', 'content-length': '100' })
          reply.write('<title>')
          setImmediate(() => reply.destroy())
        },
      },
      /^502 M_UNKNOWN the page was not received whole$/,
    ],
    'where an image does not end': [
      { '/': endless('image/png') },
      /^502 M_UNKNOWN the image is too large or cannot be read$/,
    ],
    'where an image is none': [
      { '/': page('<svg/>', 'image/svg+xml') },
      /^502 M_UNKNOWN the image is too large or cannot/,
    ],
  }
  for (const [name, [pages, error]] of Object.entries(cases)) {
    test(name, async () => {
      const stage = await previewStage(undefined, pages, { blockedUrls })
      assert.match(await refused(stage, stage.at('/')), error)
      assert.deepEqual(await stage.server.rt.db.read.selectFrom('media').selectAll().execute(), [])
      await stage.server.close()
    })
  }

  test('where the page takes more than 30 s', async () => {
    const stage = await previewStage(undefined, {
      '/': (_, reply) => {
        reply.writeHead(200, { 'content-type': 'text/html' })
        reply.write('<title>')
        stage.clock.advance(30_000)
      },
    })
    assert.match(await refused(stage, stage.at('/')), /^502 M_UNKNOWN/)
    await stage.server.close()
  })

  test('for a URL that is none, is blocked or private, without a request', async () => {
    const stage = await previewStage(undefined, {}, { blockedUrls })
    const port = new URL(stage.at('/')).port
    for (const url of ['', 'pages.test', 'ftp://a.test/', 'data:text/html,x', `http://a.test/${'x'.repeat(5000)}`]) {
      assert.match(await refused(stage, url), /^400 M_INVALID_PARAM/, url)
    }
    assert.match(await refused(stage, stage.at('/blocked/page')), /^403 M_UNKNOWN URL blocked/)
    for (const host of ['inside.test', '127.0.0.2', '[::ffff:127.0.0.2]', '2130706434', '0', '[::]', 'nowhere.test']) {
      assert.match(await refused(stage, `http://${host}:${port}/`), /^502 M_UNKNOWN the page cannot be fetched$/, host)
    }
    assert.deepEqual(stage.requests, [])
    const missing = await stage.server.call('GET', '/_matrix/client/v1/media/preview_url', { token: stage.token })
    assert.deepEqual([missing.status, missing.body['errcode']], [400, 'M_MISSING_PARAM'])
    const anonymous = await stage.server.call('GET', '/_matrix/client/v1/media/preview_url?url=http://a.test')
    assert.equal(anonymous.status, 401)
    await stage.server.close()
  })

  test('beyond the rate limit, unless it is kept', async () => {
    const { server } = await previewStage(undefined, {})
    await server.close()
    const limited = await testServer(undefined, {
      rateLimits: { ...testConfig.rateLimits, urlPreviews: { perSecond: 0.1, burstCount: 1 } },
    })
    const { token } = await limited.register('alice')
    const ask = (n: number) =>
      limited.call('GET', `/_matrix/client/v1/media/preview_url?url=http://a.test/${n}`, { token })
    assert.deepEqual([(await ask(1)).status, (await ask(2)).status, (await ask(1)).status], [502, 429, 502])
    await limited.close()
  })

  test('where previews are disabled, which the capabilities say', async () => {
    for (const isEnabled of [true, false]) {
      const stage = await previewStage(undefined, { '/': page('') }, { isEnabled })
      assert.equal((await stage.preview(stage.at('/'))).status, isEnabled ? 200 : 403)
      const { body } = await stage.server.call('GET', '/_matrix/client/v3/capabilities', { token: stage.token })
      const capabilities = body['capabilities'] as Record<string, unknown>
      assert.deepEqual(capabilities['m.preview_url'], { enabled: isEnabled })
      await stage.server.close()
    }
  })
})

describe('a URL preview is made without', () => {
  test('the rest of a page that does not end', async () => {
    const stage = await previewStage(undefined, { '/': endless('text/html') })
    const { status, body } = await stage.preview(stage.at('/'))
    assert.equal(status, 200)
    assert.match(String(body['og:description']), /^more\n\nmore/)
    await stage.server.close()
  })

  test('an image of too many pixels, an unreadable or a private one', async () => {
    const bomb = await sharp({ create: { width: 1100, height: 1000, channels: 3, background: 'red' } })
      .png()
      .toBuffer()
    for (const src of [
      '/bomb',
      '/text',
      '/absent',
      'http://inside.test/i',
      'http://127.0.0.2/i',
      'javascript:1',
      'http://[',
    ]) {
      const stage = await previewStage(undefined, {
        '/': page(
          `<meta property="og:image" content="${src}"><meta property="og:image:width" content="9"><title>T</title>`,
        ),
        '/bomb': page(bomb, 'image/png'),
        '/text': page('no image', 'image/png'),
      })
      assert.deepEqual((await stage.preview(stage.at('/'))).body, { 'og:title': 'T' }, src)
      assert.deepEqual(await stage.server.rt.db.read.selectFrom('media').selectAll().execute(), [])
      await stage.server.close()
    }
  })

  test('an oEmbed document that is malformed', async () => {
    for (const document of [
      '[]',
      '{"version":"2.0","title":"no"}',
      '{',
      '{"title":7,"type":["rich"]}',
      '{"cache_age":"x"}',
    ]) {
      const stage = await previewStage(undefined, {
        '/': page('<title>T</title><link rel="alternate" type="application/json+oembed" href="/o">'),
        '/o': page(document, 'application/json'),
      })
      assert.equal((await stage.preview(stage.at('/'))).body['og:title'], 'T', document)
      await stage.server.close()
    }
  })
})
