// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errorTextFaults } from './error-texts.ts'

function faultsIn(texts: Readonly<Record<string, string>>, interfaceTexts: readonly string[] = []) {
  return errorTextFaults(new Map(Object.entries(texts)), interfaceTexts)
}

const thrown = (code: string, text: string) => `throw new MatrixError('${code}', ${JSON.stringify(text)})`

test('one text per condition, in lower case and without a full stop, has no fault', () => {
  const texts = {
    a: thrown('M_NOT_FOUND', 'no such room'),
    b: thrown('M_NOT_FOUND', 'no such room'),
    c: thrown('M_BAD_JSON', '`filter` must be a JSON object'),
    d: 'throw new MatrixError(\n  "M_BAD_JSON",\n  `${name} must be an integer`,\n)',
    e: thrown('M_BAD_JSON', 'JSON is nested too deeply'),
  }
  assert.deepEqual(faultsIn(texts), [])
})

test('a capital at the start and a full stop at the end are faults, except in interface texts', () => {
  const texts = { a: thrown('M_FORBIDDEN', 'You are not invited.') }
  assert.equal(faultsIn(texts).length, 2)
  assert.deepEqual(faultsIn(texts, ['a line with You are not invited. in it']), [])
})

test('an interface text with a value in it is recognized by its beginning', () => {
  const texts = {
    a: 'new MatrixError("M_NOT_FOUND", `Could not find event ${id}`)'.replace(/"M/, "'M").replace(/D"/, "D'"),
  }
  assert.equal(faultsIn(texts).length, 1)
  assert.deepEqual(faultsIn(texts, ['Could not find event EVENT']), [])
})

test('one text with two codes is a fault', () => {
  const texts = { a: thrown('M_BAD_JSON', 'not good'), b: thrown('M_NOT_JSON', 'not good') }
  assert.deepEqual(faultsIn(texts), ['the error "not good" has the codes M_BAD_JSON, M_NOT_JSON: a, b'])
})

const pairs: readonly (readonly [string, string])[] = [
  ['no such room', 'unknown room'],
  ['`actions` is missing', '`actions` is required'],
  ['a tag must have at most 255 bytes', 'tag has at most 255 bytes'],
  ['the event is of another room', 'event is of another room'],
  ['`type` must be a string', 'type must be text'],
]
for (const [one, other] of pairs) {
  test(`two texts for one condition are a fault: ${one}, ${other}`, () => {
    const faults = faultsIn({ a: thrown('M_BAD_JSON', one), b: `throw bad('${other}')` })
    assert.deepEqual(faults, [`one condition has two error texts, "${one}" and "${other}": a, b`])
  })
}
