// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { preconditionOf, rangeApplies } from './conditional.ts'

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
  ['if-modified-since', 'Sat, 29 Oct 2044 19:43:31 GMT', undefined],
] as const
for (const [name, value, status] of conditions) {
  test(`${name}: ${value} for a file with the tag "a" gives ${status ?? 'the file'}`, () => {
    assert.equal(preconditionOf({ [name]: value }, '"a"'), status)
  })
}

test('a failed If-Match counts before a matching If-None-Match', () => {
  assert.equal(preconditionOf({ 'if-match': '"b"', 'if-none-match': '"a"' }, '"a"'), 412)
})

const ranges = [
  [undefined, true],
  ['"a"', true],
  [' "a" ', true],
  ['W/"a"', false],
  ['"b"', false],
  ['*', false],
  ['Sat, 29 Oct 2044 19:43:31 GMT', false],
] as const
for (const [value, applies] of ranges) {
  test(`a range with If-Range: ${value} ${applies ? 'applies' : 'is ignored'}`, () => {
    assert.equal(rangeApplies(value === undefined ? {} : { 'if-range': value }, '"a"'), applies)
  })
}
