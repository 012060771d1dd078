// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { MatrixError } from './errors.ts'
import type { Json, JsonObject } from './json.ts'
import { parseJson } from './parse-json.ts'
import { JsonSplitter } from './split-json.ts'

const LIMITS = { lists: new Set(['state', 'auth_chain']), maxElementBytes: 10_000, maxRestBytes: 20_000 }

/** Splits a text that arrives in chunks of these sizes, in turns, and joins the parts again. */
function joined(text: string, sizes: readonly number[], limits = LIMITS): JsonObject {
  const splitter = new JsonSplitter(limits)
  const whole: [string, Json][] = []
  const lists = new Map<string, Json[]>()
  const bytes = Buffer.from(text)
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const end = start + (sizes[turn % sizes.length] ?? 1)
    for (const { key, isElement, text: part } of splitter.push(bytes.subarray(start, end))) {
      if (!isElement) whole.push([key, parseJson(part)])
      else lists.set(key, [...(lists.get(key) ?? []), parseJson(part)])
    }
    start = end
  }
  const keys = splitter.end()
  const all = new Map<string, Json>([...whole, ...lists])
  return Object.fromEntries([...keys].map((key) => [key, all.has(key) ? (all.get(key) as Json) : []]))
}

function outcome(parse: () => Json): unknown {
  try {
    return JSON.stringify(parse())
  } catch (cause) {
    if (cause instanceof MatrixError) return cause.code
    throw cause
  }
}

const json = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<Json>(null, true, 0, -1.5, 'a', '', '"', '\\', '\\"', '{[', ']', '\u00e9\u{1f600}'),
    fc.integer(),
    fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value
const answer = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom('state', 'auth_chain', 'event', 'origin', '__proto__', '\u00e9"\\'),
      fc.oneof(json, fc.array(json)),
    ),
    { selector: ([key]) => key },
  )
  .map((members) => `{${members.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`)
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })

describe('splitting an answer', () => {
  test('loses nothing of it, however it comes in pieces', () => {
    fc.assert(
      fc.property(answer, sizes, fc.boolean(), (text, chunks, isSpaced) => {
        const spaced = isSpaced ? JSON.stringify(JSON.parse(text), undefined, 1) : text
        assert.equal(JSON.stringify(joined(spaced, chunks)), JSON.stringify(parseJson(spaced)))
      }),
      { numRuns: 300 },
    )
  })

  test('refuses what parseJson refuses, wherever it is broken', () => {
    const good = JSON.stringify({ state: [{ a: 'x"{\\' }, [1, 2.5], 'y', null], b: { c: [true] }, auth_chain: [] })
    fc.assert(
      fc.property(
        fc.nat(good.length),
        fc.constantFrom('', '"', '}', ']', ',', ':', '{', '[', '\\', 'x', ' ', '\n'),
        fc.nat(2),
        sizes,
        (at, put, dropped, chunks) => {
          const text = good.slice(0, at) + put + good.slice(at + dropped)
          assert.equal(
            outcome(() => joined(text, chunks)),
            outcome(() => parseJson(text)),
          )
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('that is cut off anywhere is no answer', () => {
    const good = '{"state":[{"a":1},2],"b":7}'
    for (let length = 0; length < good.length; length++) {
      assert.equal(
        outcome(() => joined(good.slice(0, length), [3])),
        'M_NOT_JSON',
      )
    }
    for (const more of ['{}', ',', ']', 'x', '"']) {
      assert.equal(
        outcome(() => joined(good + more, [3])),
        'M_NOT_JSON',
      )
    }
  })

  test('takes each member once, and no more of them than an answer has', () => {
    for (const text of ['{"state":[1],"state":[2]}', '{"a":1,"\\u0061":1}', '{"state":1,"state":[]}']) {
      assert.equal(
        outcome(() => joined(text, [5])),
        'M_BAD_JSON',
      )
    }
    const many = Array.from({ length: 1001 }, (_, at) => `"${at}":0`).join(',')
    assert.equal(
      outcome(() => joined(`{${many}}`, [100])),
      'M_BAD_JSON',
    )
  })

  test('leaves elements out that are too long, and takes what comes after', () => {
    const long = JSON.stringify({ a: 'x'.repeat(10_000) })
    const text = `{"state":[1,${long},${'['.repeat(150)}${']'.repeat(150)},2]}`
    assert.equal(
      outcome(() => joined(text, [64])),
      outcome(() => parseJson(text.replace(`${long},`, ''))),
    )
  })

  test('holds a bounded part of anything else', () => {
    const texts = [
      `{"event":"${'x'.repeat(20_000)}"}`,
      `{"a":"${'x'.repeat(15_000)}","b":"${'x'.repeat(15_000)}"}`,
      `{"${'k'.repeat(2000)}":1}`,
      `{"state":[${'['.repeat(201)}${']'.repeat(201)}]}`,
      `{"state":[${'{"a":'.repeat(1_000_000)}`,
    ]
    for (const text of texts)
      assert.equal(
        outcome(() => joined(text, [1000])),
        'M_BAD_JSON',
        text.slice(0, 20),
      )
  })
})
