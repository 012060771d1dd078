// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { matchGlob } from '@myelin/matrix/glob'
import { includesWords, matchWords } from './match-words.ts'

describe('words in a text', () => {
  const cases = [
    ['ex*ple', 'an example event.', true],
    ['ex*ple', 'exple', true],
    ['ex*ple', 'an exciting triple-whammy', true],
    ['ex*ple', 'an unexample', false],
    ['ex*ple', 'examples', false],
    ['cake', 'i like cake!', true],
    ['cake', 'cakes and cake', true],
    ['cake', 'cupcakes', false],
    ['cake', 'cake_', false],
    ['cake', 'cakeé', true],
    ['@room', 'hello @room', true],
    ['c?ke', 'a coke', true],
    ['c?ke', 'a cke', false],
    ['c?ke', 'a c😀ke', true],
    ['*', '', true],
    ['a*', 'b a', true],
    ['*a', 'ba', true],
    ['a*b*c', 'a then b then c', true],
    ['a*b*c', 'a then c then b', false],
    ['a.c', 'abc', false],
  ] as const
  for (const [glob, text, expected] of cases) {
    test(`${glob} ${expected ? 'is' : 'is not'} in "${text}"`, () => assert.equal(matchWords(glob, text), expected))
  }

  test('are found where trying every part of the text finds them', () => {
    const glob = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '-'), minLength: 1, maxLength: 5 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '-'), maxLength: 8 })
    fc.assert(
      fc.property(glob, text, (pattern, body) => assert.equal(matchWords(pattern, body), slowly(pattern, body))),
      { numRuns: 3000 },
    )
  })

  test('without globs are found the same way', () => {
    const words = fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 3 })
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '-'), maxLength: 8 })
    fc.assert(
      fc.property(words, text, (pattern, body) => assert.equal(includesWords(pattern, body), slowly(pattern, body))),
    )
  })

  test('made to hang a backtracking matcher are answered', () => {
    assert.equal(matchWords(`${'a*'.repeat(500)}b`, 'a'.repeat(20_000)), false)
  })
})

function slowly(glob: string, text: string): boolean {
  const isWord = (sign: string | undefined): boolean => sign !== undefined && /\w/.test(sign)
  const isEdge = (at: number): boolean => !(isWord(text[at - 1]) && isWord(text[at]))
  for (let from = 0; from <= text.length; from++) {
    for (let to = from; to <= text.length; to++) {
      if (isEdge(from) && isEdge(to) && matchGlob(glob, text.slice(from, to))) return true
    }
  }
  return false
}
