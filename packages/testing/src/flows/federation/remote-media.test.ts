// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ServerName } from '@myelin/matrix/ids'
import { federationPath } from '@myelin/remote/federation'
import type { IncomingReply, Transport } from '@myelin/remote/transport'
import { testNetwork } from '@myelin/testing/network'
import type { TestNetwork } from '@myelin/testing/network'
import { testServer } from '@myelin/testing/server'
import type { TestServer } from '@myelin/testing/server'
import { sharpImage } from '../image.ts'

const AUTHED = '/_matrix/client/v1/media'

/** Downloads a file and looks at what a client sees of it. */
async function download(server: TestServer, name: string, token: string, query = '') {
  const path = `${AUTHED}/download/${name}${query}`
  const reply = await server.receive({ method: 'GET', target: path, headers: { authorization: `Bearer ${token}` } })
  const chunks: Uint8Array[] = []
  for await (const chunk of reply.body) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  const isJson = reply.status !== 200 && bytes[0] === 0x7b
  const errcode = isJson ? (JSON.parse(bytes.toString()) as { errcode: string }).errcode : undefined
  return { status: reply.status, headers: reply.headers, bytes, errcode }
}

describe('media of another server', () => {
  let net: TestNetwork
  let one: TestServer
  let two: TestServer
  let alice: string
  let dora: string
  before(async () => {
    net = await testNetwork({ servers: 2 })
    one = net.server('one.test')
    two = net.server('two.test')
    alice = (await one.register('alice')).token
    dora = (await two.register('dora')).token
  })
  after(() => net.close())

  const upload = async (body: string | Buffer, type: string, fileName = '') => {
    const path = `/_matrix/media/v3/upload${fileName === '' ? '' : `?filename=${encodeURIComponent(fileName)}`}`
    const headers = { authorization: `Bearer ${alice}`, 'content-type': type }
    const reply = await one.receive({ method: 'POST', target: path, headers, body: body as string })
    let text = ''
    for await (const chunk of reply.body) text += Buffer.from(chunk).toString()
    return String((JSON.parse(text) as Record<string, unknown>)['content_uri']).slice('mxc://'.length)
  }
  const asked = () => net.crossings.filter(({ target }) => target.includes('/media/')).length

  test('is fetched once, with its type and name, and kept', async () => {
    const text = 'line\r\n--line\n'.repeat(20_000)
    const name = await upload(text, 'text/plain', 'ä "b".txt')
    const before = asked()
    const found = await Promise.all([download(two, name, dora), download(two, name, dora)])
    for (const answer of [...found, await download(two, name, dora)]) {
      assert.equal(answer.status, 200)
      assert.equal(answer.bytes.toString(), text)
      assert.equal(answer.headers['content-type'], 'text/plain')
      assert.ok(answer.headers['content-disposition']?.includes(encodeURIComponent('ä "b".txt')))
    }
    assert.equal(asked() - before, 1)
    const legacy = await two.call('GET', `/_matrix/media/v3/download/${name}`)
    assert.equal(legacy.status, 404)
  })

  test('is made small here, and sent small to other servers', async () => {
    const name = await upload(await sharpImage(900, 600), 'image/png')
    const path = `${AUTHED}/thumbnail/${name}?width=32&height=32&method=crop`
    const answer = await two.call('GET', path, { token: dora })
    assert.deepEqual([answer.status, answer.headers['content-type']], [200, 'image/png'])
    const [, mediaId = ''] = name.split('/')
    const target = federationPath(['federation', 'v1', 'media', 'thumbnail', mediaId], { width: 32, height: 32 })
    const reply = await two.rt.remote.open('one.test' as ServerName, { method: 'GET', target })
    assert.equal(reply.status, 200)
    assert.match(String(reply.headers['content-type']), /^multipart\/mixed; boundary=\w+$/)
  })

  test('is not fetched where the client forbids it, nor for unauthenticated requests', async () => {
    const name = await upload('x', 'text/plain')
    const before = asked()
    assert.equal((await download(two, name, dora, '?allow_remote=false')).errcode, 'M_NOT_FOUND')
    assert.equal((await two.call('GET', `/_matrix/media/v3/download/${name}`)).status, 404)
    assert.equal(asked(), before)
  })

  test('that is not there, not yet there, or out of reach is answered in the right words', async () => {
    assert.deepEqual((await download(two, 'one.test/nothing', dora)).errcode, 'M_NOT_FOUND')
    const created = await one.call('POST', '/_matrix/media/v1/create', { token: alice })
    const reserved = String(created.body['content_uri']).slice('mxc://'.length)
    const waiting = await download(two, reserved, dora, '?timeout_ms=0')
    assert.deepEqual([waiting.status, waiting.errcode], [504, 'M_NOT_YET_UPLOADED'])
    const gone = await download(two, 'gone.test/a', dora)
    assert.deepEqual([gone.status, gone.errcode], [502, 'M_UNKNOWN'])
  })

  test('of a third server is not to be had through a second', async () => {
    const name = await upload('x', 'text/plain')
    assert.equal((await download(two, name, dora)).status, 200)
    const [, mediaId = ''] = name.split('/')
    const target = federationPath(['federation', 'v1', 'media', 'download', mediaId])
    const reply = await one.rt.remote.open('two.test' as ServerName, { method: 'GET', target })
    assert.equal(reply.status, 404)
  })
})

describe('media of a server that does things its own way', () => {
  const reply = (status: number, type: string, body: string, headers: Record<string, string> = {}): IncomingReply => ({
    status,
    headers: { 'content-type': type, ...headers },
    body: (async function* () {
      yield Buffer.from(body)
    })(),
  })
  const parts = (second: string, boundary = 'b') => `--${boundary}\n\n{}\n--${boundary}\n${second}\n--${boundary}--`
  const sentTo = (url: string) => reply(200, 'multipart/mixed; boundary=b', parts(`Location: ${url}\n`))
  const cases: Record<
    string,
    { answers: readonly IncomingReply[]; pages?: readonly IncomingReply[]; expected: string }
  > = {
    'sends LF and quotes the boundary': {
      answers: [reply(200, 'multipart/mixed; boundary="x y"', parts('Content-Type: text/plain\n\nfile', 'x y'))],
      expected: '200 file',
    },
    'sends us to another place, and on from there': {
      answers: [sentTo('https://cdn.test/a')],
      pages: [reply(302, 'text/html', 'on', { location: '/b' }), reply(200, 'text/plain', 'file')],
      expected: '200 file',
    },
    'sends us round in circles': {
      answers: [sentTo('https://cdn.test/a')],
      pages: Array.from({ length: 9 }, () => reply(302, 'text/html', '', { location: '/a' })),
      expected: '502 M_UNKNOWN',
    },
    'sends us to a place without TLS': { answers: [sentTo('http://127.0.0.1/')], expected: '502 M_UNKNOWN' },
    'sends us nowhere': { answers: [sentTo('//')], expected: '502 M_UNKNOWN' },
    'only knows what clients used to read': {
      answers: [reply(404, 'application/json', '{"errcode":"M_UNRECOGNIZED"}'), reply(200, 'text/plain', 'file')],
      expected: '200 file',
    },
    'has no boundary': { answers: [reply(200, 'text/plain', 'file')], expected: '502 M_UNKNOWN' },
    'breaks off': {
      answers: [reply(200, 'multipart/mixed; boundary=b', '--b\n\n{}\n--b\n\nhalf')],
      expected: '502 M_UNKNOWN',
    },
    'sends more than we take': {
      answers: [reply(200, 'multipart/mixed; boundary=b', parts(`\n${'x'.repeat(1_000_001)}`))],
      expected: '502 M_TOO_LARGE',
    },
    'lies about the type': {
      answers: [reply(200, 'multipart/mixed; boundary=b', parts('Content-Type: a/b\rX: y\n\nfile'))],
      expected: '200 file',
    },
    'answers with an error of its own': { answers: [reply(500, 'text/html', '<h1>')], expected: '502 M_UNKNOWN' },
  }
  for (const [name, { answers, pages = [], expected }] of Object.entries(cases)) {
    test(`that ${name} is answered ${expected}`, async () => {
      const [left, pagesLeft] = [[...answers], [...pages]]
      const next = (list: IncomingReply[]) => {
        const first = list.shift()
        return first ? Promise.resolve(first) : Promise.reject(new Error('asked too often'))
      }
      const transport: Transport = { send: () => next(left), fetchPage: () => next(pagesLeft), close: async () => {} }
      const server = await testServer(undefined, {}, { transport })
      const { token } = await server.register('alice')
      const answer = await download(server, 'odd.test/file', token)
      assert.equal(`${answer.status} ${answer.errcode ?? answer.bytes.toString()}`, expected)
      await server.close()
    })
  }
})
