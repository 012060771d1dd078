// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ProxyExceptions, proxyIn, spelledAddress } from './proxy.ts'

describe('the name of a proxy', () => {
  const plain = { isSecure: false, host: 'proxy.test', port: 8080, authorization: undefined }
  const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`
  const cases: Record<string, ReturnType<typeof proxyIn>> = {
    'http://proxy.test:8080/': plain,
    'proxy.test:8080': plain,
    ' HTTP://proxy.test:8080 ': plain,
    'proxy.test': { ...plain, port: 1080 },
    // The usual ports of the schemes are ports like any other.
    'http://proxy.test:80': { ...plain, port: 80 },
    'https://proxy.test:443': { ...plain, isSecure: true, port: 443 },
    'https://proxy.test': { ...plain, isSecure: true, port: 1080 },
    'http://[2001:db8::1]:3128': { ...plain, host: '2001:db8::1', port: 3128 },
    '10.0.1.1:8080': { ...plain, host: '10.0.1.1' },
    'http://my_proxy:8080': { ...plain, host: 'my_proxy' },
    'http://USER:PASS@proxy.test:8080': { ...plain, authorization: basic('USER:PASS') },
    'user:p%40ss%3Aword@proxy.test:8080': { ...plain, authorization: basic('user:p@ss:word') },
    'http://user:a@b%@proxy.test:8080': { ...plain, authorization: basic('user:a@b%') },
  }
  for (const [text, expected] of Object.entries(cases)) {
    test(`is read from ${text.trim()}`, () => assert.deepEqual(proxyIn(text), expected))
  }
  for (const text of [
    '',
    'http://',
    'socks5://proxy.test:1080',
    'http://proxy.test:99999',
    'http://proxy.test:0',
    'http://a b',
    'http://proxy.test/path',
  ]) {
    test(`is not "${text}"`, () => assert.equal(proxyIn(text), undefined))
  }
})

describe('an exception from the proxy', () => {
  const cases: [entry: string, host: string, port: number, isCovered: boolean][] = [
    ['example.org', 'example.org', 443, true],
    ['example.org', 'matrix.example.org', 8448, true],
    ['.example.org', 'matrix.example.org', 8448, true],
    ['.example.org', 'example.org', 8448, true],
    ['*.example.org', 'matrix.example.org', 8448, true],
    ['EXAMPLE.org', 'Example.ORG.', 8448, true],
    ['example.org', 'badexample.org', 443, false],
    ['example.org', 'example.org.evil.test', 443, false],
    ['example.org:8448', 'example.org', 8448, true],
    ['example.org:8448', 'matrix.example.org', 8448, true],
    ['example.org:8448', 'example.org', 443, false],
    ['*', 'anything.test', 1, true],
    ['10.1.0.0/16', '10.1.2.3', 8448, true],
    ['10.1.0.0/16', '10.2.2.3', 8448, false],
    ['10.1.2.3', '10.1.2.3', 8448, true],
    ['10.1.2.3:8448', '10.1.2.3', 8448, true],
    ['10.1.2.3:8448', '10.1.2.3', 443, false],
    ['1.2.3', '10.1.2.3', 8448, false],
    ['fd00::/8', 'fd12::1', 8448, true],
    ['[fd12::1]', 'fd12::1', 8448, true],
    ['[fd12::1]:8448', 'fd12::1', 8448, true],
    ['[fd12::1]:8448', 'fd12::1', 443, false],
    ['', 'example.org', 443, false],
  ]
  for (const [entry, host, port, isCovered] of cases) {
    test(`"${entry}" ${isCovered ? 'covers' : 'leaves out'} ${host} at ${port}`, () => {
      assert.equal(new ProxyExceptions(['other.test', ` ${entry} `]).cover(host, port), isCovered)
    })
  }
})

describe('an address spelled as a name', () => {
  const cases: Record<string, string | undefined> = {
    '10.0.0.1': '10.0.0.1',
    '::1': '::1',
    '127.1': '127.0.0.1',
    '2130706433': '127.0.0.1',
    '0x7f.0.0.1': '127.0.0.1',
    '0177.0.0.1.': '127.0.0.1',
    localhost: '127.0.0.1',
    'a.LocalHost.': '127.0.0.1',
    'example.org': undefined,
    my_host: undefined,
    'localhost.example.org': undefined,
  }
  for (const [host, address] of Object.entries(cases)) {
    test(`${host} is ${address ?? 'none'}`, () => assert.equal(spelledAddress(host), address))
  }
})
