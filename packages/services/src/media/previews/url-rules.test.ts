// SPDX-License-Identifier: Apache-2.0
import type { UrlRule } from '@myelin/kit/settings'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isBlocked, oembedUrlOf } from './url-rules.ts'

const blocks = (rule: UrlRule, url: string): boolean => isBlocked(new URL(url), [rule])

test('a rule blocks URLs of which all parts match', () => {
  const rule: UrlRule = new Map([
    ['scheme', 'http'],
    ['netloc', '*.foo.com'],
    ['path', '/a?c'],
  ])
  assert.ok(blocks(rule, 'http://x.foo.com/abc'))
  assert.ok(!blocks(rule, 'https://x.foo.com/abc'))
  assert.ok(!blocks(rule, 'http://x.foo.com/abcd'))
})

test('a part that is absent matches nothing', () => {
  assert.ok(blocks(new Map([['username', '*']]), 'http://me@a.test/'))
  assert.ok(blocks(new Map([['username', '*']]), 'http://:secret@a.test/'))
  assert.ok(!blocks(new Map([['username', '*']]), 'http://a.test/'))
  assert.ok(blocks(new Map([['port', '8*']]), 'http://a.test:8080/'))
  assert.ok(!blocks(new Map([['port', '*']]), 'http://a.test/'))
})

test('a regular expression matches from the beginning', () => {
  const addresses: UrlRule = new Map([['netloc', /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/u]])
  assert.ok(blocks(addresses, 'http://1.2.3.4/'))
  assert.ok(blocks(addresses, 'http://0x7f.1/'), 'an address is compared in its usual form')
  assert.ok(!blocks(addresses, 'http://1.2.3.4.test/'))
})

test('no rules block nothing', () => assert.ok(!isBlocked(new URL('http://a.test/'), [])))

test('an oEmbed endpoint is found by the scheme of a page, whose host stays its own', () => {
  const endpoints = [
    { schemes: ['https://*.x.test/*/status/*', 'http://y.test/*'], url: 'https://api.test/o.{format}' },
  ]
  const found = (url: string) => oembedUrlOf(new URL(url), endpoints)?.href
  assert.equal(
    found('https://www.x.test/me/status/1'),
    'https://api.test/o.json?url=https%3A%2F%2Fwww.x.test%2Fme%2Fstatus%2F1&format=json',
  )
  assert.ok(found('https://y.test/a'))
  assert.equal(found('https://evil.test/.x.test/me/status/1'), undefined)
  assert.equal(found('http://www.x.test/me/status/1'), undefined)
})
