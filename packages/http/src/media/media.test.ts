// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import { mediaByName, putMedia } from '@myelin/storage/media/media'
import { testConfig } from '@myelin/testing/runtime'
import { onReplyMismatch } from '@myelin/testing/reply-mismatch'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import type { FastifyInstance } from 'fastify'
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { imageLibrary } from '@myelin/services/media/make-thumbnail'
import { buildApp } from '../app/app.ts'
import { mediaEndpoints } from './endpoints.ts'

const MAX = 100_000
type Body = NonNullable<RequestInit['body']>

// The server reads image files of a few formats only; the tests read images from memory, too.
const sharp = await imageLibrary()
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadNsgifBuffer',
  ],
})

describe('media', () => {
  let server: TestServer
  let app: FastifyInstance
  let url: string
  let tokens: { alice: string; bob: string }
  before(async () => {
    server = await testServer(undefined, {
      media: { ...testConfig.media, maxUploadBytes: MAX, maxImagePixels: 1_000_000 },
    })
    tokens = { alice: (await server.register('alice')).token, bob: (await server.register('bob')).token }
    // Uploads stream, so this needs real connections.
    app = buildApp(server.rt, mediaEndpoints, { isForwarded: false, maxBodyBytes: 1000, onReplyMismatch })
    url = await app.listen({ port: 0, host: '127.0.0.1' })
  })
  after(async () => {
    await app.close()
    await server.close()
  })

  type Options = { method?: string; token?: string | null; body?: Body; headers?: Record<string, string> }
  async function ask(path: string, { method = 'GET', token = tokens.alice, body, headers = {} }: Options = {}) {
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` }
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { ...authorization, ...headers },
      ...(body === undefined ? {} : { body, duplex: 'half' }),
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true
    const json = isJson && bytes.length > 0 ? (JSON.parse(bytes.toString()) as Record<string, unknown>) : {}
    return { status: answer.status, headers: answer.headers, bytes, json }
  }
  /** The same media as they are stored when they were uploaded before the freeze. */
  async function fromBefore(name: string): Promise<string> {
    const [serverName = '', mediaId = ''] = name.split('/')
    const media = await mediaByName(server.rt.db.read, { serverName: serverName as ServerName, mediaId })
    assert.ok(media)
    const old = { ...media, mediaId: `${mediaId}old`, isAuthenticatedOnly: false }
    await server.rt.db.write((tx) => putMedia(tx, old))
    return `${serverName}/${old.mediaId}`
  }
  async function upload(body: Body, type: string, query = ''): Promise<string> {
    const options = { method: 'POST', body, headers: { 'content-type': type } }
    const { status, json } = await ask(`/_matrix/media/v3/upload${query}`, options)
    assert.equal(status, 200, JSON.stringify(json))
    return String(json['content_uri']).slice('mxc://'.length)
  }
  const create = async (token = tokens.alice) => ask('/_matrix/media/v1/create', { method: 'POST', token })
  const download = (name: string, options?: Options) => ask(`/_matrix/client/v1/media/download/${name}`, options)
  const fill = (name: string, body: Body = 'text', token = tokens.alice) =>
    ask(`/_matrix/media/v3/upload/${name}`, { method: 'PUT', body, token, headers: { 'content-type': 'text/plain' } })

  test('has a limit that clients can read', async () => {
    assert.deepEqual((await ask('/_matrix/client/v1/media/config')).json, { 'm.upload.size': MAX })
    assert.deepEqual((await ask('/_matrix/media/v3/config')).json, { 'm.upload.size': MAX })
  })

  describe('that was uploaded', () => {
    test('is downloaded byte for byte, with its type, its name and safe headers', async () => {
      const name = await upload('<script>', 'text/html', '?filename=a%20b.html')
      assert.match(name, /^one\.test\/[A-Za-z0-9]{24}$/)
      const { status, bytes, headers } = await download(name)
      assert.deepEqual([status, bytes.toString()], [200, '<script>'])
      assert.equal(headers.get('content-type'), 'text/html')
      assert.equal(headers.get('content-disposition'), 'attachment; filename="a b.html"')
      assert.equal(headers.get('content-length'), '8')
      assert.equal(headers.get('cross-origin-resource-policy'), 'cross-origin')
      const policy =
        "sandbox; default-src 'none'; script-src 'none'; plugin-types application/pdf; style-src 'unsafe-inline'; media-src 'self'; object-src 'self';"
      assert.equal(headers.get('content-security-policy'), policy)
      assert.equal(headers.get('access-control-allow-origin'), '*')
    })

    test('can be downloaded under another name', async () => {
      const name = await upload('a', 'text/plain; charset=utf-8', '?filename=mine.txt')
      const { headers } = await download(`${name}/%E2%98%95.txt`)
      assert.equal(headers.get('content-disposition'), "inline; filename*=utf-8''%E2%98%95.txt")
      assert.equal(headers.get('content-type'), 'text/plain; charset=utf-8')
    })

    test('is application/octet-stream without a content type', async () => {
      const { json } = await ask('/_matrix/media/v3/upload', { method: 'POST', body: Buffer.from([0, 1]) })
      const { headers, bytes } = await download(String(json['content_uri']).slice('mxc://'.length))
      assert.equal(headers.get('content-type'), 'application/octet-stream')
      assert.equal(headers.get('content-disposition'), 'attachment')
      assert.deepEqual([...bytes], [0, 1])
    })

    test('may be empty', async () => {
      const name = await upload('', 'text/plain')
      const { status, bytes } = await download(name)
      assert.deepEqual([status, bytes.length], [200, 0])
    })

    test('is not served without a token at the deprecated paths', async () => {
      const name = await upload('new', 'text/plain')
      for (const version of ['v3', 'r0', 'v1']) {
        for (const rest of [`download/${name}`, `download/${name}/x.txt`, `thumbnail/${name}?width=1&height=1`]) {
          const answer = await ask(`/_matrix/media/${version}/${rest}`, { token: null })
          assert.deepEqual([answer.status, answer.json['errcode']], [404, 'M_NOT_FOUND'], `${version} ${rest}`)
        }
        assert.equal((await ask(`/_matrix/media/${version}/download/${name}`)).status, 404, 'a token changes nothing')
      }
      assert.equal((await download(name)).status, 200)
    })

    test('from before the freeze is served without a token at the deprecated paths', async () => {
      const name = await fromBefore(await upload('old', 'text/plain'))
      for (const version of ['v3', 'r0', 'v1']) {
        const answer = await ask(`/_matrix/media/${version}/download/${name}?allow_remote=false`, { token: null })
        assert.deepEqual([answer.status, answer.bytes.toString()], [200, 'old'])
      }
      assert.equal((await ask(`/_matrix/media/v3/download/${name}/x.txt`, { token: null })).status, 200)
    })

    test('is sent in ranges, and not at all where the ETag matches', async () => {
      const name = await upload('0123456789', 'text/plain')
      const part = await download(name, { headers: { range: 'bytes=2-4' } })
      assert.deepEqual([part.status, part.bytes.toString()], [206, '234'])
      assert.equal(part.headers.get('content-range'), 'bytes 2-4/10')
      const beyond = await download(name, { headers: { range: 'bytes=10-' } })
      assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, 'bytes */10'])
      const etag = String(part.headers.get('etag'))
      for (const tag of [etag, `W/${etag}`, '*', `"other", W/${etag}`]) {
        const again = await download(name, { headers: { 'if-none-match': tag } })
        assert.deepEqual([again.status, again.bytes.length, again.headers.get('etag')], [304, 0, etag], tag)
      }
      const range = (ifRange: string) => download(name, { headers: { range: 'bytes=2-4', 'if-range': ifRange } })
      assert.equal((await range(etag)).bytes.toString(), '234')
      for (const other of [`W/${etag}`, '"other"', 'Sat, 29 Oct 2044 19:43:31 GMT']) {
        const whole = await range(other)
        assert.deepEqual([whole.status, whole.bytes.toString()], [200, '0123456789'], other)
      }
      const other = await download(name, { headers: { 'if-match': '"other"' } })
      assert.deepEqual([other.status, other.json['errcode']], [412, 'M_UNKNOWN'])
      const date = String(part.headers.get('last-modified'))
      assert.equal((await range(date)).bytes.toString(), '234')
      assert.equal((await download(name, { headers: { 'if-modified-since': date } })).status, 304)
      const early = { 'if-unmodified-since': 'Sat, 29 Oct 1994 19:43:31 GMT' }
      assert.equal((await download(name, { headers: early })).status, 412)
    })

    test('is described to HEAD like to GET, without its bytes', async () => {
      const name = await upload('0123456789', 'text/plain')
      const { status, headers, bytes } = await download(name, { method: 'HEAD' })
      assert.deepEqual([status, bytes.length, headers.get('content-length')], [200, 0, '10'])
      assert.equal(headers.get('etag'), (await download(name)).headers.get('etag'))
      const part = await download(name, { method: 'HEAD', headers: { range: 'bytes=0-1' } })
      assert.deepEqual([part.status, part.headers.get('content-length')], [206, '2'])
    })

    for (const type of ['', 'png', 'file', 'image/', '/png', 'image / png', '????']) {
      test(`is application/octet-stream with the content type "${type}"`, async () => {
        const name = await upload('bytes', type)
        assert.equal((await download(name)).headers.get('content-type'), 'application/octet-stream')
      })
    }
  })

  test('that is too large is refused, with or without a content length, and leaves no file', async () => {
    const large = Buffer.alloc(MAX + 1)
    const said = await ask('/_matrix/media/v3/upload', { method: 'POST', body: large })
    const unsaid = await ask('/_matrix/media/v3/upload', { method: 'POST', body: new Blob([large]).stream() })
    for (const answer of [said, unsaid]) {
      assert.deepEqual([answer.status, answer.json['errcode']], [413, 'M_TOO_LARGE'])
    }
    const rows = await server.rt.db.read.selectFrom('media').select('media_id').where('size_bytes', '>', MAX).execute()
    assert.deepEqual(rows, [])
    assert.equal((await ask('/_matrix/media/v3/upload', { method: 'POST', body: Buffer.alloc(MAX) })).status, 200)
  })

  test('whose upload is aborted is not stored', async () => {
    const count = async () => (await server.rt.db.read.selectFrom('media').select('media_id').execute()).length
    const before = await count()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const head = `POST /_matrix/media/v3/upload HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${tokens.alice}\r\n`
    socket.end(`${head}Content-Type: text/plain\r\nContent-Length: 100\r\n\r\nhalf`)
    await new Promise((resolve) => socket.once('close', resolve).resume())
    await server.rt.db.write(async () => {})
    assert.equal(await count(), before)
  })

  const refusals = [
    ['no token', '/_matrix/client/v1/media/download/one.test/a', { token: null }, 401, 'M_MISSING_TOKEN'],
    [
      'no token, for an upload',
      '/_matrix/media/v3/upload',
      { token: null, method: 'POST', body: 'a' },
      401,
      'M_MISSING_TOKEN',
    ],
    ['what is not there', '/_matrix/client/v1/media/download/one.test/never', {}, 404, 'M_NOT_FOUND'],
    ['what a server out of reach has', '/_matrix/client/v1/media/download/two.test/a', {}, 502, 'M_UNKNOWN'],
    ['a way out of the folder', '/_matrix/client/v1/media/download/..%2F..%2Fetc/passwd', {}, 404, 'M_NOT_FOUND'],
    ['a way out in the id', '/_matrix/client/v1/media/download/one.test/..%2F..%2Fpasswd', {}, 404, 'M_NOT_FOUND'],
    ['a name with a NUL', '/_matrix/media/v3/download/one.test/a%00', {}, 404, 'M_NOT_FOUND'],
    ['__proto__', '/_matrix/client/v1/media/download/one.test/__proto__', {}, 404, 'M_NOT_FOUND'],
    ['no time', '/_matrix/client/v1/media/download/one.test/a?timeout_ms=soon', {}, 400, 'M_INVALID_PARAM'],
    [
      'a thumbnail of nothing',
      '/_matrix/client/v1/media/thumbnail/one.test/a?width=1&height=1',
      {},
      404,
      'M_NOT_FOUND',
    ],
    ['a thumbnail without a size', '/_matrix/client/v1/media/thumbnail/one.test/a?width=1', {}, 400, 'M_MISSING_PARAM'],
    ['less than no pixels', '/_matrix/media/v3/thumbnail/one.test/a?width=-1&height=1', {}, 400, 'M_INVALID_PARAM'],
    ['half a pixel', '/_matrix/media/v3/thumbnail/one.test/a?width=1.5&height=1', {}, 400, 'M_INVALID_PARAM'],
    ['an unknown method', '/_matrix/media/v3/thumbnail/a.b/a?width=1&height=1&method=fold', {}, 400, 'M_INVALID_PARAM'],
    [
      'a file name with a NUL',
      '/_matrix/media/v3/upload?filename=a%00',
      { method: 'POST', body: 'a' },
      400,
      'M_INVALID_PARAM',
    ],
  ] as const
  for (const [name, path, options, status, code] of refusals) {
    test(`${name} is refused`, async () => {
      const answer = await ask(path, options)
      assert.deepEqual([answer.status, answer.json['errcode']], [status, code])
    })
  }

  describe('with a reserved URI', () => {
    test('is waited for until it is uploaded', async () => {
      const { json } = await create()
      assert.equal(json['unused_expires_at'], server.rt.clock.now() + 24 * 3_600_000)
      const name = String(json['content_uri']).slice('mxc://'.length)
      const waiting = download(name)
      assert.deepEqual((await fill(name, 'here')).json, {})
      const { status, bytes } = await waiting
      assert.deepEqual([status, bytes.toString()], [200, 'here'])
      const twice = await fill(name)
      assert.deepEqual([twice.status, twice.json['errcode']], [409, 'M_CANNOT_OVERWRITE_MEDIA'])
      assert.equal((await download(name)).bytes.toString(), 'here')
    })

    test('is not waited for beyond the timeout', async () => {
      const name = String((await create()).json['content_uri']).slice('mxc://'.length)
      const answer = await download(`${name}?timeout_ms=0`)
      assert.deepEqual([answer.status, answer.json['errcode']], [504, 'M_NOT_YET_UPLOADED'])
      const thumbnail = await ask(`/_matrix/client/v1/media/thumbnail/${name}?timeout_ms=0&width=1&height=1`)
      assert.equal(thumbnail.status, 504)
    })

    test('is uploaded by its owner only, to its own URI, before the reservation expires', async () => {
      const name = String((await create(tokens.bob)).json['content_uri']).slice('mxc://'.length)
      const cases = [
        [await fill(name), 403, 'M_FORBIDDEN'],
        [await fill('one.test/never'), 404, 'M_NOT_FOUND'],
        [await fill('one.test/..%2Fa'), 404, 'M_NOT_FOUND'],
        [await fill(name, Buffer.alloc(MAX + 1), tokens.bob), 413, 'M_TOO_LARGE'],
      ] as const
      for (const [answer, status, code] of cases)
        assert.deepEqual([answer.status, answer.json['errcode']], [status, code])
      server.rt.clock.jump(24 * 3_600_000)
      assert.equal((await fill(name, 'late', tokens.bob)).json['errcode'], 'M_NOT_FOUND')
      assert.equal((await download(name)).json['errcode'], 'M_NOT_FOUND')
    })

    test('cannot be reserved without limit', async () => {
      for (let n = 0; n < 5; n++) assert.equal((await create(tokens.bob)).status, 200)
      const answer = await create(tokens.bob)
      assert.deepEqual([answer.status, answer.json['errcode']], [429, 'M_LIMIT_EXCEEDED'])
      server.rt.clock.jump(24 * 3_600_000)
      assert.equal((await create(tokens.bob)).status, 200)
    })
  })

  describe('as a thumbnail', () => {
    const image = (width: number, height: number, alpha = 1) =>
      sharp({ create: { width, height, channels: 4, background: { r: 200, g: 50, b: 0, alpha } } })
    const gif = async () => {
      const frame = (red: number) =>
        sharp({ create: { width: 90, height: 60, channels: 3, background: { r: red, g: 0, b: 0 } } })
          .png()
          .toBuffer()
      const frames = [await frame(255), await frame(0)]
      return sharp(frames, { join: { animated: true } })
        .gif()
        .toBuffer()
    }
    const thumbnail = (name: string, query: string, token: string | null = tokens.alice) =>
      ask(`/_matrix/client/v1/media/thumbnail/${name}?${query}`, { token })
    const shapeOf = async (bytes: Buffer) => {
      const { width, height, format, pages = 1 } = await sharp(bytes).metadata()
      return `${width}x${height} ${format} ${pages}`
    }

    const kinds = [
      ['a JPEG', () => image(900, 600).flatten().jpeg().toBuffer(), 'image/jpeg', '900x600 jpeg 1'],
      ['a PNG', () => image(900, 600, 0.5).png().toBuffer(), 'image/png', '900x600 png 1'],
      ['a WebP', () => image(900, 600).flatten().webp().toBuffer(), 'image/webp', '900x600 jpeg 1'],
      ['an AVIF', () => image(900, 600).flatten().avif({ effort: 0 }).toBuffer(), 'image/avif', '900x600 jpeg 1'],
    ] as const
    for (const [kind, make, type] of kinds) {
      test(`${kind} is cropped or scaled`, async () => {
        const name = await upload(new Uint8Array(await make()), type)
        const format = kind === 'a PNG' ? 'png' : 'jpeg'
        const cases = [
          ['width=32&height=32&method=crop', `32x32 ${format} 1`],
          ['width=320&height=240&method=scale', `320x213 ${format} 1`],
          ['width=300&height=200', `320x213 ${format} 1`],
          ['width=100&height=50&method=crop', `240x120 ${format} 1`],
        ] as const
        for (const [query, shape] of cases) {
          const { status, bytes, headers } = await thumbnail(name, query)
          assert.equal(status, 200)
          assert.equal(await shapeOf(bytes), shape, query)
          assert.equal(headers.get('content-type'), `image/${format}`)
          assert.equal(headers.get('content-disposition'), `inline; filename=thumbnail.${format}`)
        }
        const old = await fromBefore(name)
        const again = await ask(`/_matrix/media/r0/thumbnail/${old}?width=32&height=32&method=crop`, { token: null })
        assert.equal(await shapeOf(again.bytes), `32x32 ${format} 1`)
      })
    }

    test('is never made larger', async () => {
      const small = new Uint8Array(await image(20, 10).flatten().jpeg().toBuffer())
      const name = await upload(small, 'image/jpeg')
      const { bytes } = await thumbnail(name, 'width=800&height=600&method=crop')
      assert.deepEqual(new Uint8Array(bytes), small)
    })

    test('is animated only on request', async () => {
      const name = await upload(new Uint8Array(await gif()), 'image/gif')
      const shapes = [
        ['animated=true&width=32&height=32&method=crop', '32x32 webp 2'],
        ['animated=false&width=32&height=32&method=crop', '32x32 png 1'],
        ['width=800&height=600', '90x60 png 1'],
        ['animated=true&width=800&height=600', '90x60 gif 2'],
      ] as const
      for (const [query, shape] of shapes)
        assert.equal(await shapeOf((await thumbnail(name, query)).bytes), shape, query)
    })

    test('is made of supported images below the size limit', async () => {
      const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
      const bomb = new Uint8Array(await image(2000, 1000).flatten().jpeg({ quality: 1 }).toBuffer())
      const cases = [
        ['hello', 'text/plain', 400, 'M_UNKNOWN'],
        [svg, 'image/svg+xml', 400, 'M_UNKNOWN'],
        [svg, 'image/png', 400, 'M_UNKNOWN'],
        ['no image', 'image/png', 400, 'M_UNKNOWN'],
        ['', 'image/png', 400, 'M_UNKNOWN'],
        [new Uint8Array(await image(9, 9).tiff().toBuffer()), 'image/png', 400, 'M_UNKNOWN'],
        [new Uint8Array((await image(90, 90).png().toBuffer()).subarray(0, 90)), 'image/png', 400, 'M_UNKNOWN'],
        [bomb, 'image/jpeg', 413, 'M_TOO_LARGE'],
      ] as const
      for (const [body, type, status, code] of cases) {
        const answer = await thumbnail(await upload(body, type), 'width=32&height=32')
        assert.deepEqual([answer.status, answer.json['errcode']], [status, code])
      }
    })
  })
})
