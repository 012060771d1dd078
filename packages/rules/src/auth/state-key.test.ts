// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { splitStateKey, stateKey } from './state-key.ts'

const text = fc.string({ unit: fc.constantFrom('a', 'm', '.', '\u0000', '\u0001', 'n', 'e'), maxLength: 6 })

test('a state key gives back the type and the key it was made of', () => {
  fc.assert(fc.property(text, text, (type, key) => assert.deepEqual(splitStateKey(stateKey(type, key)), [type, key])))
})

test('two state keys are the same only where type and key are', () => {
  fc.assert(
    fc.property(text, text, text, text, (type, key, otherType, otherKey) => {
      assert.equal(stateKey(type, key) === stateKey(otherType, otherKey), type === otherType && key === otherKey)
    }),
  )
})
