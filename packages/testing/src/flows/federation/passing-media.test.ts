// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, test } from 'node:test'
import { buildApp } from '@myelin/http/app/app'
import { mediaEndpoints } from '@myelin/http/media/endpoints'
import type { IncomingReply, Transport } from '@myelin/remote/transport'
import { onReplyMismatch } from '@myelin/testing/reply-mismatch'
import { testConfig } from '@myelin/testing/runtime'
import { type TestServer, testServer } from '@myelin/testing/server'

const HALF = Buffer.alloc(400_000, 'a')
const PATH = '/_matrix/client/v1/media/download/odd.test/file'

interface Stage {
  readonly server: TestServer
  readonly token: string
  readonly port: number
  /** The number of requests to the other server. */
  asked(): number
}

/** A server that listens, and another one whose file consists of `half`, and of what comes of `rest`. */
async function stage(
  rest: () => AsyncIterable<Uint8Array>,
  play: (stage: Stage) => Promise<void>,
  rateLimits = testConfig.rateLimits,
): Promise<void> {
  let asked = 0
  const reply = (): IncomingReply => ({
    status: 200,
    headers: { 'content-type': 'multipart/mixed; boundary=b' },
    body: (async function* () {
      yield Buffer.from('--b\r\n\r\n{}\r\n--b\r\nContent-Type: text/plain\r\n\r\n')
      yield HALF
      yield* rest()
    })(),
  })
  const transport: Transport = { send: async () => (asked++, reply()), close: async () => {} }
  const server = await testServer(undefined, { rateLimits }, { transport })
  const { token } = await server.register('alice')
  const app = buildApp(server.rt, mediaEndpoints, { isForwarded: false, maxBodyBytes: 1000, onReplyMismatch })
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  await play({ server, token, port: Number(port), asked: () => asked })
  await app.close()
  await server.close()
}

interface Seen {
  readonly length: string | undefined
  /** Its first bytes have come. */
  readonly begun: Promise<void>
  /** All of it, or why it broke off. */
  readonly whole: Promise<Buffer | string>
}

function download({ port, token }: Stage): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    const asked = request({ host: '127.0.0.1', port, path: PATH, headers, agent: false }, (reply) => {
      const begun = Promise.withResolvers<void>()
      const whole = Promise.withResolvers<Buffer | string>()
      const chunks: Buffer[] = []
      reply.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        begun.resolve()
      })
      reply.on('end', () => whole.resolve(Buffer.concat(chunks)))
      reply.on('error', (error: NodeJS.ErrnoException) => whole.resolve(error.code ?? error.message))
      const length = reply.headers['content-length'] ?? reply.headers['transfer-encoding']
      resolve({ length, begun: begun.promise, whole: whole.promise })
    })
    asked.on('error', reject)
    asked.end()
  })
}

async function status({ server, token }: Stage, query = ''): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  const reply = await server.receive({ method: 'GET', target: PATH + query, headers })
  for await (const _ of reply.body);
  return reply.status
}

describe('a large file of another server', () => {
  test('is shown while it comes, to all who ask, and is kept', async () => {
    const hold = Promise.withResolvers<void>()
    const rest = async function* () {
      await hold.promise
      yield HALF
      yield Buffer.from('\r\n--b--\r\n')
    }
    await stage(rest, async (on) => {
      const seen = [await download(on), await download(on)]
      // The other server says the rest only when both have read the beginning.
      await Promise.all(seen.map(({ begun }) => begun))
      hold.resolve()
      const all = Buffer.concat([HALF, HALF])
      for (const { whole, length } of seen) {
        assert.ok(all.equals((await whole) as Buffer))
        assert.equal(length, 'chunked')
      }
      const again = await download(on)
      assert.ok(all.equals((await again.whole) as Buffer))
      assert.equal(again.length, String(all.length))
      assert.equal(on.asked(), 1)
    })
  })

  test('goes on to be kept when the one who asked goes away', async () => {
    const hold = Promise.withResolvers<void>()
    const rest = async function* () {
      await hold.promise
      yield Buffer.from('\r\n--b--\r\n')
    }
    await stage(rest, async (on) => {
      const socket = connect(on.port, '127.0.0.1')
      socket.write(`GET ${PATH} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${on.token}\r\n\r\n`)
      await new Promise((resolve) => socket.once('data', resolve))
      socket.destroy()
      hold.resolve()
      assert.equal(await status(on), 200)
      assert.equal(on.asked(), 1)
    })
  })

  const broken: Record<string, () => AsyncIterable<Uint8Array>> = {
    'breaks off': async function* () {
      yield HALF
    },
    'breaks off with an error': async function* () {
      yield HALF
      throw new Error('reset')
    },
    'proves too large': async function* () {
      yield HALF
      yield HALF
      yield Buffer.from('\r\n--b--\r\n')
    },
  }
  for (const [how, rest] of Object.entries(broken)) {
    test(`that ${how} never looks as if it were all there, and is not kept`, async () => {
      const hold = Promise.withResolvers<void>()
      const held = async function* () {
        await hold.promise
        yield* rest()
      }
      await stage(held, async (on) => {
        const { begun, whole } = await download(on)
        await begun
        hold.resolve()
        assert.equal(await whole, 'ECONNRESET')
        assert.equal(await status(on, '?allow_remote=false'), 404)
      })
    })
  }

  test('is there as a whole first for a client of HTTP/1.0, which could not see it break off', async () => {
    const rest = async function* () {
      yield Buffer.from('\r\n--b--\r\n')
    }
    await stage(rest, async ({ port, token }) => {
      const socket = connect(port, '127.0.0.1')
      socket.write(`GET ${PATH} HTTP/1.0\r\nAuthorization: Bearer ${token}\r\n\r\n`)
      let text = ''
      for await (const chunk of socket) text += String(chunk)
      assert.match(text, new RegExp(`content-length: ${HALF.length}\r\n`, 'i'))
      assert.ok(text.endsWith(`\r\n\r\n${HALF.toString()}`))
    })
  })

  test('counts against the requester; debts delay, and stored media is free', async () => {
    const rest = async function* () {
      yield Buffer.from('\r\n--b--\r\n')
    }
    const remoteMedia = { perSecond: 1000, burstCount: 100_000 }
    await stage(
      rest,
      async (on) => {
        assert.equal(await status(on), 200)
        assert.equal(await status(on), 200)
        const other = (token: string) =>
          on.server.call('GET', '/_matrix/client/v1/media/download/odd.test/other', { token })
        const refused = await other(on.token)
        assert.deepEqual([refused.status, refused.body['errcode']], [429, 'M_LIMIT_EXCEEDED'])
        assert.equal(refused.body['retry_after_ms'], HALF.length - 100_000 + 1)
        assert.equal(on.asked(), 1)
        assert.equal((await other((await on.server.register('bob')).token)).status, 200)
        on.server.rt.clock.advance(300_001)
        assert.equal((await on.server.call('GET', `${PATH}2`, { token: on.token })).status, 200)
      },
      { ...testConfig.rateLimits, remoteMedia },
    )
  })
})
