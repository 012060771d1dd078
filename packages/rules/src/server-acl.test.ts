// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { matchGlob } from '@myelin/matrix/glob'
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { isServerAllowed } from './server-acl.ts'

describe('a server ACL', () => {
  const cases: readonly (readonly [
    name: string,
    server: string,
    content: JsonObject | undefined,
    expected: boolean,
  ])[] = [
    ['that is not there allows all', 'evil.com', undefined, true],
    ['without an allow list denies all', 'good.com', {}, false],
    ['with an empty allow list denies all', 'good.com', { allow: [] }, false],
    ['that allows all denies whom it names', 'evil.com', { allow: ['*'], deny: ['evil.com'] }, false],
    ['does not look at the port', 'evil.com:8448', { allow: ['*'], deny: ['evil.com'] }, false],
    ['is not fooled by a port in its list', 'evil.com:8448', { allow: ['*'], deny: ['evil.com:8448'] }, true],
    ['does not look at case', 'EVIL.com', { allow: ['*'], deny: ['evil.COM'] }, false],
    ['denies a whole domain', 'a.b.evil.com', { allow: ['*'], deny: ['*.evil.com'] }, false],
    ['of a domain does not deny the domain itself', 'evil.com', { allow: ['*'], deny: ['*.evil.com'] }, true],
    ['of a domain does not deny one that ends alike', 'notevil.com', { allow: ['*'], deny: ['*.evil.com'] }, true],
    ['of a suffix denies what ends alike', 'notevil.com', { allow: ['*'], deny: ['*evil.com'] }, false],
    ['knows one missing character', 'evil1.com', { allow: ['*'], deny: ['evil?.com'] }, false],
    ['allows only whom it names', 'good.com', { allow: ['good.com'] }, true],
    ['allows nobody else', 'better.com', { allow: ['good.com'] }, false],
    ['denies before it allows', 'good.com', { allow: ['good.com'], deny: ['good.com'] }, false],
    ['takes a dot for a dot', 'evilxcom', { allow: ['*'], deny: ['evil.com'] }, true],
    ['denies IPv4 literals', '1.2.3.4', { allow: ['*'], allow_ip_literals: false }, false],
    ['denies IPv4 literals with a port', '1.2.3.4:80', { allow: ['*'], allow_ip_literals: false }, false],
    ['denies IPv6 literals', '[::1]', { allow: ['*'], allow_ip_literals: false }, false],
    ['denies IPv6 literals with a port', '[::1]:80', { allow: ['*'], allow_ip_literals: false }, false],
    [
      'allows IP literals where `allow_ip_literals` is true',
      '1.2.3.4',
      { allow: ['*'], allow_ip_literals: true },
      true,
    ],
    [
      'allows IP literals where `allow_ip_literals` is no boolean',
      '1.2.3.4',
      { allow: ['*'], allow_ip_literals: 'no' },
      true,
    ],
    ['takes names of digits for names', '1.2.3.4.5', { allow: ['*'], allow_ip_literals: false }, true],
    ['takes what is no list for an empty one', 'evil.com', { allow: ['*'], deny: 'evil.com' }, true],
    ['takes an allow that is no list for an empty one', 'good.com', { allow: '*' }, false],
    ['leaves out what is no text', 'good.com', { allow: [5, null, ['*'], 'good.com'], deny: [{}] }, true],
  ]
  for (const [name, server, content, expected] of cases) {
    test(name, () => assert.equal(isServerAllowed(server as ServerName, content), expected))
  }

  test('gives what trying one glob after the other gives', () => {
    const sign = fc.constantFrom('a', 'b', '.', '*', '?')
    const globs = fc.array(fc.string({ unit: sign, maxLength: 6 }), { maxLength: 5 })
    const host = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(globs, globs, host, (allow, deny, name) => {
        const expected = !deny.some((glob) => matchGlob(glob, name)) && allow.some((glob) => matchGlob(glob, name))
        assert.equal(isServerAllowed(name as ServerName, { allow, deny }), expected)
      }),
      { numRuns: 2000 },
    )
  })
})
