// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type ErrorCode, MatrixError } from './errors.ts'
import { type JsonLimits, parseJson } from './parse-json.ts'
import { rawNumberText } from './raw-number.ts'

function refusalOf(text: string, limits?: JsonLimits): ErrorCode | undefined {
  try {
    parseJson(text, limits)
    return undefined
  } catch (error) {
    if (error instanceof MatrixError) return error.code
    throw error
  }
}

describe('parsing JSON', () => {
  const broken = [
    '',
    ' ',
    '{',
    '[1,]',
    '{"a":1,}',
    "{'a':1}",
    'nul',
    '01',
    '1.',
    '"\n"',
    '{"a" 1}',
    '[1 2]',
    '\ufeff{}',
    '"\\x"',
    '{a:1}',
    '"',
  ]
  for (const text of broken) {
    test(`refuses ${JSON.stringify(text)} as no JSON`, () => assert.equal(refusalOf(text), 'M_NOT_JSON'))
  }

  const taken = [
    '{}',
    '[]',
    '0',
    '"a"',
    'null',
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":1}]',
    '{"a:b\\"c":":"}',
    '{"":0}',
    '"\\\\"',
    '{"\\\\":1}',
  ]
  for (const text of taken) {
    test(`takes ${text}`, () => assert.deepEqual(parseJson(text, { strictNumbers: true }), JSON.parse(text)))
  }

  const twice = [
    '{"a":1,"a":2}',
    '{"a":1,"b":{},"a":1}',
    '[{"x":{"a":1,"a":1}}]',
    String.raw`{"apple":1,"appl\u0065":2}`,
    String.raw`{"a\"b":1,"a\u0022b":1}`,
    '{"__proto__":1,"__proto__":2}',
    '{"1":1,"1":1}',
  ]
  for (const text of twice) {
    test(`refuses ${text}, which has a key twice`, () => assert.equal(refusalOf(text), 'M_BAD_JSON'))
  }

  const notUnicode = [
    String.raw`"\ud800"`,
    String.raw`{"\udc00":1}`,
    String.raw`["a\uDBFFb"]`,
    String.raw`"\ude00\ud83d"`,
    '"\ud800"',
  ]
  for (const text of notUnicode) {
    test(`refuses ${JSON.stringify(text)}, which is half a character`, () =>
      assert.equal(refusalOf(text), 'M_BAD_JSON'))
  }
  test('takes a pair of surrogates, escaped or not', () => {
    assert.equal(parseJson(String.raw`"\ud83d\ude00"`), '😀')
    assert.equal(parseJson('"😀"'), '😀')
    assert.equal(parseJson(String.raw`"\\ud800"`), String.raw`\ud800`)
  })

  const odd = [
    '1.0',
    '0.5',
    '1e3',
    '1E3',
    '-0',
    '-0.0',
    '9007199254740992',
    '-9007199254740992',
    '123456789012345678901',
    '1e-1',
    '{"a":[{"b":1.5}]}',
  ]
  for (const text of odd) {
    test(`refuses the number in ${text} where numbers are strict, and only there`, () => {
      assert.equal(refusalOf(text, { strictNumbers: true }), 'M_BAD_JSON')
      assert.equal(refusalOf(text), undefined)
    })
  }
  for (const text of ['1e400', '-1e400', '{"a":[1,{"b":1E999}]}', '9'.repeat(400), '1e309']) {
    test(`refuses ${text.slice(0, 40)}, which is infinite in a double, however numbers are read`, () => {
      for (const limits of [{}, { strictNumbers: true }, { keepNumbers: true }]) {
        assert.equal(refusalOf(text, limits), 'M_BAD_JSON')
      }
    })
  }
  test('takes finite numbers up to the largest double, and texts that look infinite', () => {
    assert.deepEqual(parseJson('[1e308,1e-400,"1e400"]'), [1e308, 0, '1e400'])
  })
  test('takes the largest integers, and texts that look like odd numbers', () => {
    assert.deepEqual(parseJson('[9007199254740991,-9007199254740991,"1.5","-0"]', { strictNumbers: true }), [
      9007199254740991,
      -9007199254740991,
      '1.5',
      '-0',
    ])
  })
  test('keeps the spelling of numbers on request', () => {
    const value = parseJson('[1.0,1.5,3,1e2]', { keepNumbers: true }) as readonly number[]
    assert.deepEqual(value.map(rawNumberText), ['1.0', undefined, undefined, '1e2'])
    assert.equal(JSON.stringify(value), '[1.0,1.5,3,1e2]')
  })

  test('refuses what is nested deeper than it may be, however deep', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    assert.equal(refusalOf(nested(200)), undefined)
    assert.equal(refusalOf(nested(201)), 'M_BAD_JSON')
    assert.equal(refusalOf(nested(100_000)), 'M_BAD_JSON')
    assert.equal(refusalOf('{"a":'.repeat(100_000)), 'M_BAD_JSON')
    assert.equal(refusalOf(nested(5), { maxDepth: 4 }), 'M_BAD_JSON')
    assert.equal(refusalOf(JSON.stringify('['.repeat(1000))), undefined)
  })

  test('reads what JSON.stringify wrote, with or without space', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false } as object), fc.constantFrom(0, 2), (value, space) => {
        const text = JSON.stringify(value, undefined, space)
        assert.deepEqual(parseJson(text), JSON.parse(text))
      }),
    )
  })

  test('answers or refuses, whatever text arrives, and takes nothing that is not JSON', () => {
    const signs = fc.string({ unit: fc.constantFrom(...'{}[]":,\\u0aednl1-+.eE \n'.split('')), maxLength: 40 })
    fc.assert(
      fc.property(fc.oneof(signs, fc.string({ unit: 'binary' })), (text) => {
        const refusal = refusalOf(text, { strictNumbers: true })
        let isJson = true
        try {
          JSON.parse(text)
        } catch {
          isJson = false
        }
        if (!isJson) assert.equal(refusal, 'M_NOT_JSON')
      }),
      { numRuns: 2000 },
    )
  })

  test('finds a key written twice in any object', () => {
    const key = fc.string({ unit: 'binary', maxLength: 3 })
    const entries = fc.array(fc.tuple(key, fc.integer()), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(entries, (list) => {
        const text = `{"in":[{${list.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}]}`
        const isDouble = new Set(list.map(([name]) => name)).size < list.length
        assert.equal(refusalOf(text), isDouble ? 'M_BAD_JSON' : undefined)
      }),
    )
  })
})
