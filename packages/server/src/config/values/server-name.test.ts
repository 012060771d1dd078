// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverNameFault } from './server-name.ts'

test('a server name has no empty parts and a port that exists', () => {
  const empty = 'must be a host name without empty parts'
  assert.deepEqual(['example..org', '.example.org'].map(serverNameFault), [empty, empty])
  assert.equal(serverNameFault('example.org:70000'), 'must have a port of at most 65535')
  const valid = [
    'example.org',
    'localhost',
    'example.org:65535',
    '192.0.2.1:8448',
    '[2001:db8::1]',
    '[2001:db8::1]:8448',
  ]
  assert.deepEqual(
    valid.filter((name) => serverNameFault(name) !== undefined),
    [],
  )
})
