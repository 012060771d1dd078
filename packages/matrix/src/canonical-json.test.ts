// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  canonicalJson,
  canonicalJsonInSteps,
  canonicalJsonLoose,
  compareCodePoints,
  TooLongError,
} from './canonical-json.ts'
import type { Json } from './json.ts'
import { parseJson } from './parse-json.ts'

const { json } = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.string({ unit: 'binary' }),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'binary', maxLength: 4 }), tie('json'), { maxKeys: 6, noNullPrototype: true }),
  ),
}))

describe('canonical JSON', () => {
  // The examples of the appendices.
  const examples = [
    ['{}', '{}'],
    ['{"one": 1, "two": "Two"}', '{"one":1,"two":"Two"}'],
    ['{"b": "2", "a": "1"}', '{"a":"1","b":"2"}'],
    ['{"b":"2","a":"1"}', '{"a":"1","b":"2"}'],
    [
      `{"auth":{"success":true,"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[
        {"medium":"email","address":"john.doe@example.org"},{"medium":"msisdn","address":"123456789"}]}}}`,
      '{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address":"john.doe@example.org","medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}}',
    ],
    ['{"a": "日本語"}', '{"a":"日本語"}'],
    ['{"本": 2, "日": 1}', '{"日":1,"本":2}'],
    [String.raw`{"a": "\u65E5"}`, '{"a":"日"}'],
    ['{"a": null}', '{"a":null}'],
    ['{"a": -0, "b": 1e10}', '{"a":0,"b":10000000000}'],
  ] as const
  for (const [text, expected] of examples) {
    test(`of ${text.slice(0, 40)} is the one of the spec`, () => {
      assert.equal(canonicalJson(JSON.parse(text) as Json), expected)
    })
  }

  test('says the same thing, and saying it again changes nothing', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value)
        const back = parseJson(text)
        assert.equal(canonicalJson(back), text)
        assert.deepEqual(back, JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), json, { noNullPrototype: true }), (object) => {
        const turned = Object.fromEntries(Object.entries(object).reverse())
        assert.equal(canonicalJson(turned), canonicalJson(object))
      }),
    )
  })

  test('sorts keys by code point, also where UTF-16 would sort them otherwise', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        const order = Buffer.compare(Buffer.from(a), Buffer.from(b)) // UTF-8 keeps the order of code points
        assert.equal(Math.sign(compareCodePoints(a, b)), order)
      }),
    )
    assert.equal(canonicalJson({ '😀': 1, '\uffff': 2 }), '{"\uffff":2,"😀":1}')
  })

  test('sorts keys that look like numbers as text', () => {
    assert.equal(canonicalJson({ 9: 1, 10: 2, 1: 3 }), '{"1":3,"10":2,"9":1}')
  })

  test('escapes what must be escaped, as short as it can be, and nothing else', () => {
    const text = '"\\\b\t\n\f\r\u0000\u001f\u007f/é\u2028'
    assert.equal(canonicalJson(text), String.raw`"\"\\\b\t\n\f\r\u0000\u001f` + '\u007f/é\u2028"')
  })

  test('has no word for floats, nor for integers beyond 2^53 - 1', () => {
    for (const value of [0.5, 2 ** 53, -(2 ** 53), 1e300, NaN, Infinity]) {
      assert.throws(() => canonicalJson({ deep: [value] }), RangeError)
    }
    assert.equal(canonicalJson([2 ** 53 - 1, -(2 ** 53) + 1]), '[9007199254740991,-9007199254740991]')
  })

  test('of keys that objects inherit is about the keys, not about the objects', () => {
    const text = '{"__proto__":{"a":1},"constructor":2,"toJSON":3}'
    assert.equal(canonicalJson(JSON.parse(text) as Json), text)
  })

  test('for old rooms keeps numbers spelled as they came', () => {
    const text = '{"a":1.0,"b":1e2,"c":12345678901234567890,"d":-0,"e":0.5,"f":7}'
    assert.equal(canonicalJsonLoose(parseJson(text, { keepNumbers: true })), text)
    assert.throws(() => canonicalJson(parseJson('[1.0]', { keepNumbers: true })), RangeError)
    assert.throws(() => canonicalJsonLoose(Infinity), RangeError)
  })
})

describe('long canonical JSON', () => {
  const written = (value: Json) => {
    const steps = canonicalJsonInSteps(value)
    for (let count = 0; ; count++) {
      const { done, value: bytes } = steps.next()
      if (done === true) return { text: Buffer.from(bytes).toString(), count }
    }
  }

  test('is the same in steps', () => {
    fc.assert(
      fc.property(fc.array(json, { maxLength: 20 }), fc.integer({ min: 1, max: 40 }), (values, times) => {
        const long = { b: Array.from({ length: times }, () => values), a: values } as Json
        assert.equal(written(long).text, canonicalJsonLoose(long))
      }),
    )
  })

  test('is written in as many steps as it has times 16 KiB, however it is nested', () => {
    const numbers = Array.from({ length: 100_000 }, (_, at) => at)
    const members = Object.fromEntries(numbers.map((at) => [`k${at}`, at]))
    for (const value of [numbers, members, [[[numbers]]], { a: { b: members } }, numbers.map((at) => [at])] as Json[]) {
      const { text, count } = written(value)
      assert.equal(text, canonicalJsonLoose(value))
      assert.ok(count >= Math.floor(text.length / (2 * 16_384)), `${count} steps for ${text.length} characters`)
    }
  })

  test('is not written to its end where it is longer than its caller takes', () => {
    assert.throws(() => canonicalJson({ a: Array.from({ length: 100 }, () => 1) }, 100), TooLongError)
    assert.throws(
      () => canonicalJson(Object.fromEntries(Array.from({ length: 100 }, (_, at) => [at, 1])), 100),
      TooLongError,
    )
    assert.equal(canonicalJson({ a: 'b'.repeat(80) }, 100).length, 88)
  })
})
