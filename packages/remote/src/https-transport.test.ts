// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoppedClock } from '@myelin/kit/stopped-clock'
import type { ServerName } from '@myelin/matrix/ids'
import { testAuthority } from '@myelin/testing/certificates'
import { ask, type Internet, LOCAL, listen, transport } from '@myelin/testing/tls-stage'
import { AddressCheck } from './sockets/address-check.ts'

const other = testAuthority('Another authority')

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

  test('where nobody we trust signed the certificate', async () => {
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

  test('when the time is over, by our clock', async () => {
    const clock = new StoppedClock()
    const port = await listen(['a.test'], () => clock.advance(5000))
    const via = transport({ hosts: { 'a.test': LOCAL } }, { clock })
    assert.match(await ask(via, `a.test:${port}`, '/', 5000), /^RemoteError unreachable: .*did not answer in time/)
    assert.equal(clock.waiting, 0)
  })

  test('when its answer drips past the end of the time', async () => {
    const clock = new StoppedClock()
    const port = await listen(['a.test'], (_, reply) => {
      reply.write('a')
      setImmediate(() => setImmediate(() => setImmediate(() => clock.advance(5000))))
    })
    const via = transport({ hosts: { 'a.test': LOCAL } }, { clock })
    assert.match(await ask(via, `a.test:${port}`, '/', 5000), /^RemoteError unreachable/)
  })

  test('where nobody has that name', async () => {
    assert.match(await ask(transport({}), 'a.test'), /^RemoteError unreachable: .*has no address/)
  })
})
