// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf } from './client-address.ts'

const PEER = '10.0.0.1'
const headers = [
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7, 10.0.0.2', '203.0.113.7'],
  [' 203.0.113.7 ', '203.0.113.7'],
  ['203.0.113.7:4711', '203.0.113.7'],
  ['2001:db8::1', '2001:db8::1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['[2001:db8::1]:4711, 10.0.0.2', '2001:db8::1'],
  ['::ffff:203.0.113.7', '::ffff:203.0.113.7'],
  ['unknown', PEER],
  ['unknown, 203.0.113.7', PEER],
  ['', PEER],
  [',', PEER],
  [', 203.0.113.7', PEER],
  ['_hidden', PEER],
  ['1.2.3', PEER],
  ['1.2.3.4.5', PEER],
  ['256.1.1.1', PEER],
  ['[203.0.113.7]', PEER],
  ['[2001:db8::1', PEER],
  ['2001:db8::1]:80', PEER],
  ['203.0.113.7:port', PEER],
  ['203.0.113.7:123456', PEER],
  ["203.0.113.7' or 1=1", PEER],
  ['a'.repeat(8000), PEER],
  [undefined, PEER],
] as const
for (const [header, expected] of headers) {
  test(`X-Forwarded-For ${JSON.stringify(header)?.slice(0, 60)} gives the address ${expected}`, () => {
    const request = { ip: PEER, headers: header === undefined ? {} : { 'x-forwarded-for': header } }
    assert.equal(addressOf(request, true), expected)
    assert.equal(addressOf(request, false), PEER)
  })
}
