// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { after, describe, test } from 'node:test'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import { testAuthority } from '@myelin/testing/certificates'
import { ask, askOn, authority, type Internet, listen, transport } from '@myelin/testing/stages/tls-stage'
import type { HttpsTransport, HttpsTransportParts } from '../https/https-transport.ts'
import { AddressCheck } from './address-check.ts'
import { proxyIn } from './proxy.ts'

/** Answers a CONNECT request as a proxy; `lead` opens the tunnel to a local port. */
type Answer = (requested: IncomingMessage, client: Duplex, lead: (port: number) => void) => void

interface TestProxy {
  readonly port: number
  readonly asked: string[]
}

const open: Server[] = []
const clients = new Set<Duplex>()
after(() => {
  for (const client of clients) client.destroy()
  for (const server of open) server.close()
})

/** A proxy on loopback that opens a tunnel to the port of whatever place it is asked for. */
async function proxy(answer: Answer = leadThere, server: Server = createServer()): Promise<TestProxy> {
  const asked: string[] = []
  server.on('connection', (socket) => clients.add(socket))
  server.on('connect', (requested: IncomingMessage, client: Duplex) => {
    asked.push(requested.url ?? '')
    client.on('error', () => undefined)
    answer(requested, client, (port) => {
      const far = connect(port, '127.0.0.1', () => client.write('HTTP/1.1 200 Connection established\r\n\r\n'))
      far.on('error', () => client.destroy())
      client.on('close', () => far.destroy())
      far.pipe(client).pipe(far)
    })
  })
  open.push(server)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, asked }
}

const leadThere: Answer = ({ url = '' }, _client, lead) => lead(Number(url.slice(url.lastIndexOf(':') + 1)))

/** A transport through a proxy; nothing of the internet has an address here, so whatever is reached is by the proxy. */
function through(
  text: string,
  { exceptions = [], ...parts }: Partial<HttpsTransportParts> & { readonly exceptions?: readonly string[] } = {},
  internet: Internet = {},
): HttpsTransport {
  return transport(internet, { proxy: { https: proxyIn(text), exceptions }, ...parts })
}

describe('a request through a proxy', () => {
  test('reaches a name that only the proxy knows, and keeps the tunnel for the next', async () => {
    const port = await listen(['a.test'])
    const { port: proxyPort, asked } = await proxy()
    const via = through(`127.0.0.1:${proxyPort}`)
    const said = JSON.stringify({ host: `a.test:${port}`, url: '/x?y=%21', agent: 'test' })
    assert.equal(await askOn(via, `a.test:${port}`), `200 ${said}`)
    assert.equal(await ask(via, `a.test:${port}`), `200 ${said}`)
    assert.deepEqual(asked, [`a.test:${port}`])
  })

  test('asks for the places of an SRV record, one after the other', async () => {
    const port = await listen(['a.test'])
    const { port: proxyPort, asked } = await proxy()
    const places = [
      { name: 'dead.test', port: 1, priority: 1 },
      { name: 'x.test', port, priority: 2 },
    ]
    const via = through(`127.0.0.1:${proxyPort}`, {}, { services: { '_matrix-fed._tcp.a.test': places } })
    assert.match(await ask(via, 'a.test'), /^200 \{"host":"a\.test"/)
    assert.deepEqual(asked, ['a.test:443', 'dead.test:1', `x.test:${port}`])
  })

  test('reaches an address, in brackets where it is of IPv6', async () => {
    const port = await listen(['127.0.0.1', '::1'])
    const { port: proxyPort, asked } = await proxy()
    const via = through(`127.0.0.1:${proxyPort}`)
    assert.match(await askOn(via, `127.0.0.1:${port}`), /^200 /)
    assert.match(await ask(via, `[::1]:${port}`), /^200 /)
    assert.deepEqual(asked, [`127.0.0.1:${port}`, `[::1]:${port}`])
  })

  test('sends user name and password to the proxy only', async () => {
    const seen: unknown[] = []
    const port = await listen(['a.test'], (request, reply) => {
      seen.push(request.headers['proxy-authorization'])
      reply.end('hello')
    })
    const { port: proxyPort } = await proxy((requested, client, lead) => {
      seen.push(requested.headers['proxy-authorization'])
      leadThere(requested, client, lead)
    })
    assert.equal(await ask(through(`http://me:s%20ecret@127.0.0.1:${proxyPort}`), `a.test:${port}`), '200 hello')
    assert.deepEqual(seen, [`Basic ${Buffer.from('me:s ecret').toString('base64')}`, undefined])
  })

  test('may speak with the proxy itself over TLS', async () => {
    const port = await listen(['a.test'])
    const { port: proxyPort, asked } = await proxy(leadThere, createTlsServer(authority.issue(['127.0.0.1'])))
    assert.match(await ask(through(`https://127.0.0.1:${proxyPort}`), `a.test:${port}`), /^200 /)
    assert.deepEqual(asked, [`a.test:${port}`])
  })

  test('goes around the proxy where the place is an exception', async () => {
    const port = await listen(['a.test'])
    const { port: proxyPort, asked } = await proxy()
    const hosts = { 'a.test': ['127.0.0.1'] }
    const via = through(`127.0.0.1:${proxyPort}`, { exceptions: [`a.test:${port}`] }, { hosts })
    assert.match(await ask(via, `a.test:${port}`), /^200 /)
    assert.deepEqual(asked, [])
  })

  test('is made again, through another tunnel, when a kept one had died', async () => {
    let count = 0
    const port = await listen(['a.test'], (request, reply) => {
      reply.end('hello')
      if (++count === 1) reply.on('finish', () => setImmediate(() => request.socket.destroy()))
    })
    const { port: proxyPort, asked } = await proxy()
    const via = through(`127.0.0.1:${proxyPort}`)
    assert.equal(await askOn(via, `a.test:${port}`), '200 hello')
    assert.equal(await ask(via, `a.test:${port}`), '200 hello')
    assert.equal(asked.length, 2)
  })

  test('finds the document that says where a server is through the proxy, too', async () => {
    const port = await listen(['a.test', 'b.test'], (request, reply) => {
      reply.end(request.url === '/.well-known/matrix/server' ? `{"m.server":"b.test:${port}"}` : 'hello')
    })
    const { port: proxyPort, asked } = await proxy((_request, _client, lead) => lead(port))
    assert.equal(await ask(through(`127.0.0.1:${proxyPort}`), 'a.test'), '200 hello')
    assert.deepEqual(asked, ['a.test:443', `b.test:${port}`])
  })
})

describe('a request through a proxy is refused', () => {
  const refusals: Record<string, [answer: Answer, said: RegExp]> = {
    'wants to know who asks': [
      (_, client) => client.end('HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n'),
      /the proxy answered 407/,
    ],
    'does not want to': [(_, client) => client.end('HTTP/1.1 403 Forbidden\r\n\r\nno'), /no tunnel to a\.test/],
    'answers nonsense': [(_, client) => client.end('SSH-2.0-OpenSSH_9.9\r\n'), /no tunnel to a\.test: Parse Error/],
    'answers without end': [
      (_, client) => client.write(`HTTP/1.1 200 OK\r\nX: ${'y'.repeat(100_000)}`),
      /no tunnel to a\.test: Parse Error: Header overflow/,
    ],
    'speaks in place of the server': [
      (_, client) => client.write('HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\nlie'),
      /the proxy speaks in its place/,
    ],
    'hangs up': [(_, client) => client.destroy(), /no tunnel to a\.test: socket hang up/],
    'hangs up within the tunnel': [
      (_, client) => {
        client.write('HTTP/1.1 200 OK\r\n\r\n')
        client.once('data', () => client.destroy())
      },
      /a\.test: /,
    ],
  }
  for (const [does, [answer, said]] of Object.entries(refusals)) {
    test(`where the proxy ${does}`, async () => {
      const { port } = await proxy(answer)
      const outcome = await ask(through(`127.0.0.1:${port}`), 'a.test:1234')
      assert.match(outcome, /^RemoteError unreachable: /)
      assert.match(outcome, said)
    })
  }

  test('where there is no proxy', async () => {
    assert.match(await ask(through('127.0.0.1:1'), 'a.test:1234'), /^RemoteError unreachable: no tunnel to a\.test/)
  })

  test('where the tunnel ends at another server', async () => {
    const port = await listen(['b.test'])
    const { port: proxyPort } = await proxy()
    const said = await ask(through(`127.0.0.1:${proxyPort}`), `a.test:${port}`)
    assert.match(said, /^RemoteError unreachable: .*a\.test\. is not in the cert/)
  })

  test('where no trusted authority signed the certificate of the proxy', async () => {
    const stranger = createTlsServer(testAuthority('Another authority').issue(['127.0.0.1']))
    const { port, asked } = await proxy(leadThere, stranger)
    const said = await ask(through(`https://127.0.0.1:${port}`), 'a.test:1234')
    assert.match(said, /^RemoteError unreachable: no tunnel to a\.test/)
    assert.deepEqual(asked, [])
  })

  test('where it would lead to an address this server does not connect to, however that is spelled', async () => {
    const { port, asked } = await proxy()
    const via = through(`127.0.0.1:${port}`, { addresses: new AddressCheck() })
    for (const name of ['127.0.0.1:1', '[::1]:1', '10.0.0.1:1', 'localhost:1', '127.1:1', '2130706433:1', '0x7f.1:1']) {
      assert.match(await askOn(via, name), /at an address this server does not connect to/, name)
    }
    await via.close()
    assert.deepEqual(asked, [])
  })

  test('where a place is no name that could be asked for', async () => {
    const { port, asked } = await proxy()
    const places = [{ name: 'x.test:1 HTTP/1.1\r\nX-Evil: 1', port: 1 }]
    const via = through(`127.0.0.1:${port}`, {}, { services: { '_matrix-fed._tcp.a.test': places } })
    assert.match(await ask(via, 'a.test'), /^RemoteError unreachable: [^]*no such name can be asked for/)
    assert.deepEqual(asked, ['a.test:443'])
  })

  test('when the timeout passes before the proxy answers, and closes the tunnel', async () => {
    const clock = new StoppedClock()
    const given = Promise.withResolvers<void>()
    const { port } = await proxy((_, client) => {
      client.resume().on('end', () => given.resolve())
      clock.advance(5000)
    })
    const said = await ask(through(`127.0.0.1:${port}`, { clock }), 'a.test:1234', '/', 5000)
    assert.match(said, /^RemoteError unreachable: /)
    await given.promise
    assert.equal(clock.waiting, 0)
  })
})
