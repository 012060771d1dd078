// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MatrixError } from '@myelin/matrix/errors'
import { parsePlace, printPlace } from './search-token.ts'
import type { SearchPlace } from './search-token.ts'

const places: readonly SearchPlace[] = [
  { order: 'recent', after: 5, upTo: Infinity, last: undefined, count: 0, group: undefined },
  { order: 'rank', after: 0, upTo: 2 ** 40, last: { rank: 0.1 + 0.2, entryId: 7 }, count: 12, group: undefined },
  { order: 'rank', after: 1, upTo: 3, last: undefined, count: 1, group: { key: 'sender', value: '@ü:x' } },
]

test('a place survives its way to the client and back', () => {
  for (const place of places) assert.deepEqual(parsePlace(printPlace(place), place.order), place)
})

test('other texts, and the token of another order, are refused', () => {
  const encoded = (parts: unknown) => Buffer.from(JSON.stringify(parts)).toString('base64url')
  const whole = ['recent', 5, null, null, null, 0, null, null]
  const refused = [
    '',
    'YWxsCgpOb25lLDM1ODcwOA',
    'x'.repeat(5_000),
    encoded({}),
    encoded([]),
    encoded(whole.with(1, -1)),
    encoded(whole.with(1, '5')),
    encoded(whole.with(2, 1.5)),
    encoded(whole.with(3, 0.5)),
    encoded(whole.with(3, 2).with(4, 1)),
    encoded(whole.with(5, null)),
    encoded(whole.with(6, 'type').with(7, 'x')),
    encoded(whole.with(6, 'sender')),
    encoded(whole.with(0, 'rank')),
  ]
  assert.equal(parsePlace(encoded(whole), 'recent').after, 5)
  for (const text of refused) {
    assert.throws(
      () => parsePlace(text, 'recent'),
      (error) => error instanceof MatrixError && error.code === 'M_INVALID_PARAM',
      text,
    )
  }
})
