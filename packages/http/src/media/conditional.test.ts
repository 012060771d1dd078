// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { preconditionOf, rangeApplies, validatorHeaders } from './conditional.ts'

const conditions = [
  ['if-none-match', '"a"', 304],
  ['if-none-match', 'W/"a"', 304],
  ['if-none-match', '*', 304],
  ['if-none-match', ' * ', 304],
  ['if-none-match', '"b", W/"a"', 304],
  ['if-none-match', '"b","a" , "c"', 304],
  ['if-none-match', '"b, a", "c"', undefined],
  ['if-none-match', '"b"', undefined],
  ['if-none-match', 'a', undefined],
  ['if-none-match', '', undefined],
  ['if-none-match', 'w/"a"', 304],
  ['if-match', '"a"', undefined],
  ['if-match', '*', undefined],
  ['if-match', '"b", "a"', undefined],
  ['if-match', 'W/"a"', 412],
  ['if-match', '"b"', 412],
  ['if-modified-since', 'Sat, 29 Oct 2044 19:43:31 GMT', 304],
  ['if-modified-since', 'Mon, 30 Nov 2026 12:00:00 GMT', 304],
  ['if-modified-since', 'Mon, 30 Nov 2026 11:59:59 GMT', undefined],
  ['if-modified-since', 'yesterday', undefined],
  ['if-modified-since', '2044-10-29', undefined],
  ['if-modified-since', '', undefined],
  ['if-unmodified-since', 'Mon, 30 Nov 2026 12:00:00 GMT', undefined],
  ['if-unmodified-since', 'Mon, 30 Nov 2026 11:59:59 GMT', 412],
  ['if-unmodified-since', 'never', undefined],
] as const
// In the second that the dates above name, as HTTP knows no parts of seconds.
const validators = { etag: '"a"', modifiedTs: Date.UTC(2026, 10, 30, 12, 0, 0, 321) }
for (const [name, value, status] of conditions) {
  test(`${name}: ${value} for a file with the tag "a" gives ${status ?? 'the file'}`, () => {
    assert.equal(preconditionOf({ [name]: value }, validators), status)
  })
}

test('a failed If-Match counts before a matching If-None-Match', () => {
  assert.equal(preconditionOf({ 'if-match': '"b"', 'if-none-match': '"a"' }, validators), 412)
})

test('dates do not count beside conditions about tags', () => {
  const future = 'Sat, 29 Oct 2044 19:43:31 GMT'
  const past = 'Sat, 29 Oct 1994 19:43:31 GMT'
  assert.equal(preconditionOf({ 'if-none-match': '"b"', 'if-modified-since': future }, validators), undefined)
  assert.equal(preconditionOf({ 'if-match': '"a"', 'if-unmodified-since': past }, validators), undefined)
})

test('the validators are sent as a strong tag and a date', () => {
  assert.deepEqual(validatorHeaders(validators), { etag: '"a"', 'last-modified': 'Mon, 30 Nov 2026 12:00:00 GMT' })
})

const ranges = [
  [undefined, true],
  ['"a"', true],
  [' "a" ', true],
  ['W/"a"', false],
  ['"b"', false],
  ['*', false],
  ['Sat, 29 Oct 2044 19:43:31 GMT', false],
  ['Mon, 30 Nov 2026 12:00:00 GMT', true],
  ['Mon, 30 Nov 2026 11:59:59 GMT', false],
  ['now', false],
] as const
for (const [value, applies] of ranges) {
  test(`a range with If-Range: ${value} ${applies ? 'applies' : 'is ignored'}`, () => {
    assert.equal(rangeApplies(value === undefined ? {} : { 'if-range': value }, validators), applies)
  })
}
