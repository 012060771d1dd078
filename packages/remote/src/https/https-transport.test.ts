// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { after, describe, test } from 'node:test'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import type { ServerName } from '@myelin/matrix/ids'
import { testAuthority } from '@myelin/testing/certificates'
import { ask, askOn, type Internet, LOCAL, listen, transport } from '@myelin/testing/stages/tls-stage'
import { AddressCheck } from '../sockets/address-check.ts'

const other = testAuthority('Another authority')

const hung = createServer()
after(() => void hung.close())

/** Listens and never answers; returns the port and the connection that comes. */
async function hangingPlace(): Promise<{ readonly port: number; readonly connection: Promise<Socket> }> {
  const connection = new Promise<Socket>((resolve) => hung.once('connection', resolve))
  if (!hung.listening) await new Promise<void>((resolve) => void hung.listen(0, '127.0.0.1', resolve))
  return { port: (hung.address() as AddressInfo).port, connection }
}

/** Resolves when the other side has closed a connection. */
function ended(socket: Socket): Promise<void> {
  return new Promise(
    (resolve) =>
      void socket
        .resume()
        .on('error', () => undefined)
        .on('close', () => resolve()),
  )
}

describe('a request over TLS', () => {
  test('reaches the port in the name, target and host as they are', async () => {
    const port = await listen(['a.test'])
    const said = JSON.stringify({ host: `a.test:${port}`, url: '/x?y=%21', agent: 'test' })
    assert.equal(await ask(transport({ hosts: { 'a.test': LOCAL } }), `a.test:${port}`), `200 ${said}`)
  })

  test('reaches an address with a certificate for it', async () => {
    const port = await listen(['127.0.0.1'])
    assert.match(await ask(transport({}), `127.0.0.1:${port}`), /^200 /)
  })

  test('goes on to the next place of a service where nothing was sent', async () => {
    const port = await listen(['a.test'])
    const places = [
      { name: 'dead.test', port: 1, priority: 1 },
      { name: 'gone.test', port, priority: 2 },
      { name: 'x.test', port, priority: 3 },
    ]
    const via = transport({
      hosts: { 'x.test': LOCAL, 'dead.test': LOCAL },
      services: { '_matrix-fed._tcp.a.test': places },
    })
    assert.match(await ask(via, 'a.test'), /^200 \{"host":"a\.test"/)
  })

  test('is made again when a kept connection had died', async () => {
    let count = 0
    const port = await listen(['a.test'], (request, reply) => {
      reply.end('hello')
      if (++count === 1) reply.on('finish', () => setImmediate(() => request.socket.destroy()))
    })
    const via = transport({ hosts: { 'a.test': LOCAL } })
    const first = await via.send({
      destination: `a.test:${port}` as ServerName,
      method: 'GET',
      target: '/',
      headers: {},
      timeoutMs: 9000,
    })
    for await (const _ of first.body);
    assert.equal(await ask(via, `a.test:${port}`), '200 hello')
  })
})

describe('connections of requests over TLS', () => {
  test('are kept for the next request, and are at most eight to a place', async () => {
    const seen = new Set<unknown>()
    const waiting: (() => void)[] = []
    const port = await listen(['a.test'], (request, reply) => {
      seen.add(request.socket)
      waiting.push(() => reply.end('hello'))
      if (waiting.length === 8) for (const answer of waiting.splice(0)) answer()
    })
    const via = transport({ hosts: { 'a.test': LOCAL } })
    const said = await Promise.all(Array.from({ length: 24 }, () => askOn(via, `a.test:${port}`)))
    await via.close()
    assert.deepEqual(new Set(said), new Set(['200 hello']))
    assert.equal(seen.size, 8)
  })

  test('are not shared by servers whose SRV records lead to the same place', async () => {
    const seen = new Set<unknown>()
    const port = await listen(
      ['a.test', 'x.test'],
      (request, reply) => void reply.end(String(seen.add(request.socket).size)),
    )
    const services = {
      '_matrix-fed._tcp.a.test': [{ name: 'x.test', port }],
      '_matrix-fed._tcp.b.test': [{ name: 'x.test', port }],
    }
    const via = transport({ hosts: { 'x.test': LOCAL }, services })
    assert.equal(await askOn(via, 'a.test'), '200 1')
    assert.match(await askOn(via, 'b.test'), /^RemoteError unreachable: .*b\.test.*is not in the cert/)
    assert.equal(await ask(via, 'a.test'), '200 1')
  })

  test('are checked each time, whatever a name stood for before', async () => {
    const port = await listen(['a.test'], (_, reply) => void reply.setHeader('connection', 'close').end('hello'))
    const addresses = ['127.0.0.2', '127.0.0.1']
    const names = { addressesOf: async () => [addresses.pop() ?? ''], servicesOf: async () => [] }
    const via = transport({}, { names, addresses: new AddressCheck(undefined, ['127.0.0.1']) })
    assert.equal(await askOn(via, `a.test:${port}`), '200 hello')
    assert.match(await ask(via, `a.test:${port}`), /at an address this server does not connect to/)
  })

  test('are given up when the time is over before they are open', async () => {
    const clock = new StoppedClock()
    const { port, connection } = await hangingPlace()
    const via = transport({ hosts: { 'a.test': LOCAL } }, { clock })
    const asked = askOn(via, `a.test:${port}`, '/', 5000)
    const gone = ended(await connection)
    clock.advance(5000)
    assert.match(await asked, /^RemoteError unreachable: .*did not answer in time/)
    await gone
    await via.close()
  })

  test('are given up when the transport closes before they are open', async () => {
    const { port, connection } = await hangingPlace()
    const via = transport({ hosts: { 'a.test': LOCAL } })
    const asked = askOn(via, `a.test:${port}`)
    const gone = ended(await connection)
    await via.close()
    assert.match(await asked, /^RemoteError unreachable: /)
    await gone
  })
})

describe('an answer over TLS', () => {
  const broken: Record<string, RequestListener> = {
    'shorter than it says': (_, reply) => {
      reply.setHeader('content-length', '10')
      reply.write('short', () => reply.destroy())
    },
    'shorter than it says, on a connection that is not kept': (_, reply) => {
      reply.setHeader('content-length', '10').setHeader('connection', 'close')
      reply.write('short', () => reply.destroy())
    },
    'without its last chunk': (_, reply) => void reply.write('short', () => reply.destroy()),
    'without its last chunk, on a connection that is not kept': (_, reply) => {
      reply.setHeader('connection', 'close')
      reply.write('short', () => reply.destroy())
    },
  }
  for (const [name, answer] of Object.entries(broken)) {
    test(`is refused when it is ${name}`, async () => {
      const port = await listen(['a.test'], answer)
      const said = await ask(transport({ hosts: { 'a.test': LOCAL } }), `a.test:${port}`)
      assert.equal(said, 'RemoteError unreachable: the answer was truncated')
    })
  }

  test('is refused when its headers have more than 32 KiB', async () => {
    const port = await listen(['a.test'], (_, reply) => void reply.setHeader('x-long', 'y'.repeat(33_000)).end())
    const said = await ask(transport({ hosts: { 'a.test': LOCAL } }), `a.test:${port}`)
    assert.match(said, /^RemoteError unreachable: /)
  })

  test('ends the connection when the rest of it is not wanted', async () => {
    const gone = Promise.withResolvers<void>()
    const port = await listen(['a.test'], (request, reply) => {
      request.socket.once('close', gone.resolve)
      reply.write('x'.repeat(1000))
    })
    const via = transport({ hosts: { 'a.test': LOCAL } })
    const destination = `a.test:${port}` as ServerName
    const { body } = await via.send({ destination, method: 'GET', target: '/', headers: {}, timeoutMs: 9000 })
    for await (const _ of body) break
    await gone.promise
    await via.close()
  })

  test('that redirects is handed over as it is', async () => {
    const port = await listen(['a.test'], (_, reply) => void reply.writeHead(302, { location: '/elsewhere' }).end())
    assert.equal(await ask(transport({ hosts: { 'a.test': LOCAL } }), `a.test:${port}`), '302 ')
  })
})

describe('a request over TLS is refused', () => {
  test('where the certificate is for the place and not for the server', async () => {
    const port = await listen(['x.test'])
    const via = transport({
      hosts: { 'x.test': LOCAL },
      services: { '_matrix-fed._tcp.a.test': [{ name: 'x.test', port }] },
    })
    assert.match(await ask(via, 'a.test'), /^RemoteError unreachable: .*a\.test.*is not in the cert/)
  })

  test('where the certificate is for another address', async () => {
    const port = await listen(['127.0.0.2', 'localhost'])
    assert.match(
      await ask(transport({}), `127.0.0.1:${port}`),
      /^RemoteError unreachable: .*127\.0\.0\.1 is not in the cert/,
    )
  })

  test('where no trusted authority signed the certificate', async () => {
    const port = await listen(['a.test'], undefined, other)
    assert.match(await ask(transport({ hosts: { 'a.test': LOCAL } }), `a.test:${port}`), /^RemoteError unreachable/)
  })

  test('unless the admin does not want that name checked', async () => {
    const port = await listen(['whatever'], undefined, other)
    const tls = {
      authorities: undefined,
      minVersion: 'TLSv1.2',
      verifies: (name: string) => name !== 'a.test',
    } as const
    assert.match(await ask(transport({ hosts: { 'a.test': LOCAL } }, { tls }), `a.test:${port}`), /^200/)
  })

  const ways = (port: number): Record<string, [string, Internet]> => ({
    'its address is private': [`127.0.0.1:${port}`, {}],
    'its address is private, mapped into IPv6': [`[::ffff:127.0.0.1]:${port}`, {}],
    'its name leads to a private address': [`a.test:${port}`, { hosts: { 'a.test': LOCAL } }],
    'its SRV record leads to a private address': [
      'a.test',
      { services: { '_matrix._tcp.a.test': [{ name: '127.0.0.1', port }] } },
    ],
    'its SRV record leads to a name with a private address': [
      'a.test',
      { hosts: { 'x.test': ['::1', '10.0.0.1'] }, services: { '_matrix._tcp.a.test': [{ name: 'x.test', port }] } },
    ],
  })
  for (const name of Object.keys(ways(0))) {
    test(`where ${name}`, async () => {
      let asked = 0
      const port = await listen(['a.test', '127.0.0.1'], (_, reply) => reply.end(String(++asked)))
      const [server, internet] = ways(port)[name] ?? ['', {}]
      const said = await ask(transport(internet, { addresses: new AddressCheck() }), server)
      assert.match(said, /^RemoteError unreachable: .*at an address this server does not connect to/)
      assert.equal(asked, 0)
    })
  }

  test('when the timeout has passed, by the given clock', async () => {
    const clock = new StoppedClock()
    const port = await listen(['a.test'], () => clock.advance(5000))
    const via = transport({ hosts: { 'a.test': LOCAL } }, { clock })
    assert.match(await ask(via, `a.test:${port}`, '/', 5000), /^RemoteError unreachable: .*did not answer in time/)
    assert.equal(clock.waiting, 0)
  })

  test('when its answer arrives too slowly for the timeout', async () => {
    const clock = new StoppedClock()
    const port = await listen(['a.test'], (_, reply) => {
      reply.write('a')
      setImmediate(() => setImmediate(() => setImmediate(() => clock.advance(5000))))
    })
    const via = transport({ hosts: { 'a.test': LOCAL } }, { clock })
    assert.match(await ask(via, `a.test:${port}`, '/', 5000), /^RemoteError unreachable/)
  })

  test('where no address of the place listens, with the reason', async () => {
    const via = transport({ hosts: { 'a.test': ['127.0.0.1', '127.0.0.2'] } })
    assert.equal(await ask(via, 'a.test:1'), 'RemoteError unreachable: a.test: ECONNREFUSED')
  })

  test('where the name does not resolve', async () => {
    assert.match(await ask(transport({}), 'a.test'), /^RemoteError unreachable: .*has no address/)
  })
})
