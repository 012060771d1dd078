// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { nearestOf, slipsBetween } from './nearest.ts'

describe('slips between two words', () => {
  test('are letters put in, taken out, changed or swapped', () => {
    const cases: [string, string, number][] = [
      ['port', 'port', 0],
      ['prot', 'port', 1],
      ['por', 'port', 1],
      ['ports', 'port', 1],
      ['part', 'port', 1],
      ['', 'port', 4],
      ['kitten', 'sitting', 3],
    ]
    for (const [from, to, slips] of cases) assert.equal(slipsBetween(from, to), slips, `${from} to ${to}`)
  })

  test('are as many there as back, none from a word to itself, and never more than letters', () => {
    const word = fc.string({ maxLength: 12 })
    fc.assert(
      fc.property(word, word, (from, to) => {
        const slips = slipsBetween(from, to)
        assert.equal(slips, slipsBetween(to, from))
        assert.equal(slips === 0, from === to)
        assert.ok(slips <= Math.max(from.length, to.length))
      }),
    )
  })
})

test('the nearest word is found when it is near, and none when all are far', () => {
  const words = ['enable_registration', 'enable_metrics', 'port']
  assert.equal(nearestOf('enable_registratoin', words), 'enable_registration')
  assert.equal(nearestOf('enabel_metrics', words), 'enable_metrics')
  assert.equal(nearestOf('frobnicate', words), undefined)
  assert.equal(nearestOf('x', words), undefined)
})
