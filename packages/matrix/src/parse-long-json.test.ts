// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { MatrixError } from './errors.ts'
import type { Json } from './json.ts'
import { parseJson } from './parse-json.ts'
import { MAX_STEP_LENGTH, MAX_STRING_LENGTH, parseLongJson } from './parse-long-json.ts'

function inSteps(text: string): { readonly value: Json; readonly steps: number } {
  const steps = parseLongJson(text)
  for (let count = 0; ; count++) {
    const step = steps.next()
    if (step.done) return { value: step.value, steps: count }
  }
}

/** Returns the value of a text, or the code of its refusal. */
function outcome(parse: () => Json): unknown {
  try {
    return JSON.stringify(parse())
  } catch (cause) {
    if (cause instanceof MatrixError) return cause.code
    throw cause
  }
}

// Long enough for some hundred of them to be longer than what is parsed at once.
const filler = 'x"{}[],:\\ \u00e9'.repeat(400)
const leaf = fc.oneof(
  fc.constantFrom<Json>(null, true, 0, -1, 'a', '', filler, '"', '\\', '{[', '\ud83d\ude00'),
  fc.integer(),
  fc.string(),
)
const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 8 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).value
const long = fc.oneof(
  fc.array(json, { minLength: 20, maxLength: 60 }),
  fc.record(
    { pdus: fc.array(json, { minLength: 20, maxLength: 60 }), origin: leaf, rest: json },
    { noNullPrototype: true },
  ),
)

describe('long JSON', () => {
  test('says the same parsed in steps as at once', () => {
    fc.assert(
      fc.property(long, fc.boolean(), (value, isSpaced) => {
        const text = JSON.stringify(value, undefined, isSpaced ? 2 : undefined)
        assert.equal(JSON.stringify(inSteps(text).value), JSON.stringify(parseJson(text)))
      }),
      { numRuns: 60 },
    )
  })

  test('is refused like parseJson does, wherever it is broken', () => {
    const good = JSON.stringify({ list: Array.from({ length: 40 }, (_, at) => ({ at, filler })), end: true })
    assert.ok(inSteps(good).steps > 1)
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.constantFrom('', '"', '}', ']', ',', ':', '{', '\\', 'x'), (at, put) => {
        const text = good.slice(0, at) + put + good.slice(at + 1)
        assert.equal(
          outcome(() => inSteps(text).value),
          outcome(() => parseJson(text)),
        )
      }),
      { numRuns: 300 },
    )
  })

  test('has each key once, and no part that is long and deep', () => {
    const part = `"a":${JSON.stringify(Array.from({ length: 30 }, () => filler))}`
    assert.equal(
      outcome(() => inSteps(`{${part},${part}}`).value),
      'M_BAD_JSON',
    )
    assert.equal(
      outcome(() => inSteps(`${'['.repeat(14)}{${part}}${']'.repeat(14)}`).value),
      'M_BAD_JSON',
    )
    assert.equal(
      outcome(() => inSteps(`{${part}} x`).value),
      'M_NOT_JSON',
    )
    assert.equal(
      outcome(() => inSteps(`{"__proto__":{"b":1},${part}}`).value),
      JSON.stringify(parseJson(`{"__proto__":{"b":1},${part}}`)),
    )
  })

  test('is as deep as it may be', () => {
    const part = JSON.stringify(Array.from({ length: 30 }, () => filler))
    const deep = (levels: number) => `{"a":${part},"b":${'['.repeat(levels)}${']'.repeat(levels)}}`
    assert.equal(
      outcome(() => inSteps(deep(200)).value),
      'M_BAD_JSON',
    )
    assert.equal(
      outcome(() => parseJson(deep(200))),
      'M_BAD_JSON',
    )
    assert.equal(typeof outcome(() => inSteps(deep(199)).value), 'string')
    assert.equal(
      outcome(() => inSteps(deep(199)).value),
      outcome(() => parseJson(deep(199))),
    )
  })

  test('may be long eight levels deep, as to-device messages in a transaction are', () => {
    const messages = { user: { device: { ciphertext: { key: { body: filler.repeat(20), type: 0 } } } } }
    const text = JSON.stringify({ edus: [{ content: { messages } }, { more: filler.repeat(20) }] })
    assert.equal(JSON.stringify(inSteps(text).value), text)
  })

  const repeated = (part: string, length: number) =>
    Array<string>(Math.floor(length / (part.length + 1)))
      .fill(part)
      .join(',')
  const members = (count: number) => Array.from({ length: count }, (_, at) => `"k${at}":0`).join(',')
  const LENGTH = 2_000_000
  const worst = [
    ['numbers', `[${repeated('0', LENGTH)}]`],
    ['empty lists', `[${repeated('[]', LENGTH)}]`],
    ['names', `{"a":[${repeated('"@a:b"', LENGTH)}]}`],
    ['nested lists', `[${repeated('['.repeat(150) + ']'.repeat(150), LENGTH)}]`],
    ['members', `{"a":{${members(60_000)}}}`],
    ['strings', `["${'a'.repeat(MAX_STRING_LENGTH - 2)}","${'\\n'.repeat(MAX_STRING_LENGTH / 2 - 1)}"]`],
    ['space', `[${' '.repeat(LENGTH)}1${' '.repeat(LENGTH)}]`],
    ['space only', `[ ${' '.repeat(LENGTH)}]`],
  ] as const
  for (const [name, text] of worst) {
    test(`of many ${name} is parsed in short steps, to the same value`, () => {
      const steps = parseLongJson(text)
      let reached = 0
      for (;;) {
        const step = steps.next()
        if (step.done) {
          assert.equal(JSON.stringify(step.value), JSON.stringify(JSON.parse(text)))
          break
        }
        const { length } = text.slice(reached, step.value).replace(/\s+/g, '')
        assert.ok(length <= 2 * MAX_STEP_LENGTH + MAX_STRING_LENGTH)
        reached = step.value
      }
    })
  }

  const tooMuch = [
    ['members', `{"a":{${members(1_000_000)}}}`],
    ['members twice as many', `{${members(100_000)}}`],
    ['entries', `[${repeated('0', 4_000_000)}]`],
    ['characters in one string', `["${'a'.repeat(MAX_STRING_LENGTH)}",0]`],
    ['characters in one key', `{"${'a'.repeat(MAX_STRING_LENGTH)}":0}`],
  ] as const
  for (const [name, text] of tooMuch) {
    test(`of too many ${name} is refused before its end is reached`, () => {
      const steps = parseLongJson(text)
      let reached = 0
      assert.throws(
        () => {
          for (let step = steps.next(); !step.done; step = steps.next()) reached = step.value
        },
        (error) => error instanceof MatrixError && error.code === 'M_BAD_JSON',
      )
      assert.ok(reached < text.length * 0.95)
    })
  }
})
