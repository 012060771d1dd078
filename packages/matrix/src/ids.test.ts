// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  fitsBytes,
  hostnameOf,
  isEventId,
  isRoomAlias,
  isRoomId,
  isServerName,
  isUserId,
  isValidLocalpart,
  localpartOf,
  type RoomAlias,
  type ServerName,
  serverOf,
  type UserId,
} from './ids.ts'

const hash = 'a'.repeat(42) + '_'

const tables = [
  [
    'a server name',
    isServerName,
    [
      'matrix.org',
      'matrix.org:8888',
      '1.2.3.4',
      '1.2.3.4:1234',
      '[1234:5678::abcd]',
      '[::1]:5678',
      'localhost',
      'A.b-c',
    ],
    [
      '',
      ':80',
      'a b',
      'a_b',
      'a:',
      'a:123456',
      'a:x',
      '[::1',
      '[zz]',
      '::1',
      '[1.2.3.4]',
      'a/b',
      'ä.org',
      'x'.repeat(256),
    ],
  ],
  [
    'a user ID',
    isUserId,
    ['@a:b', '@:b', '@UPPER:b', '@with space:b', '@ü:b', '@a:b:8448', '@a\u0001:b', '@a/b=c:[::1]:1'],
    [
      '',
      '@',
      '@a',
      'a:b',
      '@a:',
      '@a:b c',
      '@a\0b:c',
      '@\ud800:b',
      `@${'a'.repeat(253)}:b`,
      `@${'ü'.repeat(126)}:ab`,
      5,
      null,
    ],
  ],
  [
    'a room ID',
    isRoomId,
    ['!a:b', '!:b', `!${hash}`, '!x y:b:80'],
    ['', '!', '!a', '#a:b', '!a:', `!${hash}a`, `!${hash.slice(1)}`, `!${'+'.repeat(43)}`, `!${'a'.repeat(253)}:b`],
  ],
  [
    'an event ID',
    isEventId,
    ['$a:b', `$${hash}`, `$${'+'.repeat(43)}`],
    ['', '$', '$a', `$${hash}a`, 'a', `$${'.'.repeat(43)}`],
  ],
  ['a room alias', isRoomAlias, ['#a:b', '#ü:b', '#:b'], ['#a', '!a:b', `#${'a'.repeat(253)}:b`, '#a\0:b']],
] as const

for (const [what, isOne, good, bad] of tables) {
  describe(what, () => {
    for (const text of good) test(`may be ${JSON.stringify(text)}`, () => assert.equal(isOne(text), true))
    for (const text of bad)
      test(`may not be ${JSON.stringify(text)?.slice(0, 40)}`, () => assert.equal(isOne(text), false))
  })
}

describe('identifiers', () => {
  test('are split at the first colon', () => {
    assert.equal(serverOf('@a:host:8448' as UserId), 'host:8448')
    assert.equal(localpartOf('#a:host:8448' as RoomAlias), 'a')
  })

  test('give their host without the port', () => {
    const cases = {
      'a.org': 'a.org',
      'a.org:1': 'a.org',
      '[::1]': '[::1]',
      '[::1]:80': '[::1]',
      '1.2.3.4:5': '1.2.3.4',
    }
    for (const [name, host] of Object.entries(cases)) assert.equal(hostnameOf(name as ServerName), host)
  })

  test('are given out in a small alphabet only', () => {
    for (const good of ['a', 'a.b_c=d-e/f+0']) assert.equal(isValidLocalpart(good), true)
    for (const bad of ['', 'A', 'a b', 'ü', 'a:b', 'a@', 'a\n']) assert.equal(isValidLocalpart(bad), false)
  })

  test('are measured in bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(100), (text, most) => {
        assert.equal(fitsBytes(text, most), Buffer.byteLength(text) <= most)
      }),
    )
  })

  test('are judged whatever arrives', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), fc.string({ unit: fc.constantFrom(...'@!$#:[].a1\0'.split('')) })),
        (value) => {
          for (const [, isOne] of tables) assert.equal(typeof isOne(value), 'boolean')
        },
      ),
    )
  })
})
