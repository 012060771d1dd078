// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { decodeBase64, encodeBase64, withoutPadding } from './base64.ts'

describe('unpadded Base64', () => {
  const examples = { '': '', f: 'Zg', fo: 'Zm8', foo: 'Zm9v', foob: 'Zm9vYg', fooba: 'Zm9vYmE', foobar: 'Zm9vYmFy' }
  for (const [text, encoded] of Object.entries(examples)) {
    test(`of "${text}" is the one of the spec`, () => assert.equal(encodeBase64(Buffer.from(text)), encoded))
  }

  test('is read in either alphabet, with padding or without', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const padded = Buffer.from(bytes).toString('base64')
        for (const text of [encodeBase64(bytes), Buffer.from(bytes).toString('base64url'), padded]) {
          assert.deepEqual(Uint8Array.from(decodeBase64(text) ?? []), bytes)
        }
      }),
    )
  })

  test('is nothing else', () => {
    for (const text of ['a', 'ab c', 'ab\n', 'é', 'Zg===', 'Z=g', '*']) assert.equal(decodeBase64(text), undefined)
  })

  test('loses its padding and nothing else', () => {
    assert.deepEqual(['Zg==', 'Zg', '='].map(withoutPadding), ['Zg', 'Zg', ''])
  })
})
