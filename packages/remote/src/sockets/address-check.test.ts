// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { AddressCheck, isRange } from './address-check.ts'

const INSIDE = {
  'this machine': ['127.0.0.1', '127.255.255.254', '::1', '0.0.0.0', '0.1.2.3', '::'],
  'private networks': ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1'],
  'carrier networks': ['100.64.0.1', '100.127.255.255'],
  'the link': ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', 'fec0::1'],
  'documentation and benchmarks': [
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '198.18.0.1',
    '2001:db8::1',
    '192.0.0.1',
  ],
  groups: ['224.0.0.1', 'ff02::1', '255.255.255.255'],
  'anycast relays': ['192.88.99.1'],
  'IPv4 mapped into IPv6': ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:10.0.0.1', '0:0:0:0:0:ffff:c0a8:0101'],
  'IPv4 inside IPv6': ['::127.0.0.1', '::ffff:0:127.0.0.1', '64:ff9b::127.0.0.1', '64:ff9b::a00:1', '2002:7f00:1::'],
  'NAT64 of a network of its own': ['64:ff9b:1::10.0.0.1'],
  'what is no address': ['', 'localhost', '127.1', '0x7f.1', '2130706433', '[::1]'],
}

describe('outgoing connections', () => {
  const check = new AddressCheck()
  for (const [name, addresses] of Object.entries(INSIDE)) {
    test(`do not go to ${name}`, () => {
      assert.deepEqual(
        addresses.filter((address) => check.isAllowed(address)),
        [],
      )
    })
  }

  test('go to the public internet', () => {
    const open = ['1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '::ffff:1.1.1.1', '64:ff9b::1.1.1.1']
    assert.deepEqual(
      open.filter((address) => !check.isAllowed(address)),
      [],
    )
  })

  test('go where the admin lets them, in either spelling', () => {
    const some = new AddressCheck(undefined, ['192.168.1.1/32', '::1'])
    assert.deepEqual(
      ['192.168.1.1', '::ffff:192.168.1.1', '192.168.1.2', '::1', '127.0.0.1'].map((address) =>
        some.isAllowed(address),
      ),
      [true, true, false, true, false],
    )
  })

  test('reach everything but "this host" where the admin blocks nothing', () => {
    const none = new AddressCheck([])
    assert.deepEqual(
      ['127.0.0.1', '10.0.0.1', '0.0.0.0', '::'].map((address) => none.isAllowed(address)),
      [true, true, false, false],
    )
  })
})

test('a range is an address with at most as many bits as it has', () => {
  const texts = ['10.0.0.0/8', '::/0', '1.2.3.4', '1.2.3.4/33', '::/129', 'host/8', '1.2.3.4/8/8', '1.2.3.4/x', '']
  assert.deepEqual(texts.map(isRange), [true, true, true, false, false, false, false, false, false])
})
