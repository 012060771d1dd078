// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeText, decodeText } from './text.ts'

test('any text comes back as it was, and none is kept with a NUL', () => {
  const text = fc.string({ unit: fc.constantFrom('\u0000', '\uf8ff', '0', '1', 'a', 'é') })
  fc.assert(
    fc.property(text, (each) => {
      assert.equal(decodeText(encodeText(each)), each)
      assert.ok(!encodeText(each).includes('\u0000'))
    }),
  )
})

test('different texts are kept as different ones', () => {
  const text = fc.string({ unit: fc.constantFrom('\u0000', '\uf8ff', '0', '1') })
  fc.assert(fc.property(text, text, (one, other) => assert.equal(encodeText(one) === encodeText(other), one === other)))
})
