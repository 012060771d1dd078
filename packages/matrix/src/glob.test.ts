// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { hasWildcard, matchGlob } from './glob.ts'

/** Obviously right, and exponential. */
function slowly(glob: string, text: string): boolean {
  if (glob === '') return text === ''
  if (glob.startsWith('*')) return slowly(glob.slice(1), text) || (text !== '' && slowly(glob, text.slice(1)))
  return text !== '' && (glob.startsWith('?') || glob[0] === text[0]) && slowly(glob.slice(1), text.slice(1))
}

describe('a glob', () => {
  const cases = [
    ['*', '', true],
    ['*', 'anything', true],
    ['?', '', false],
    ['?', '😀', true],
    ['??', '😀', false],
    ['*.evil.com', 'a.evil.com', true],
    ['*.evil.com', 'evil.com', false],
    ['lunc?*', 'lunch plans', true],
    ['a*b*c', 'aXbYbZc', true],
    ['a*b*c', 'aXbYbZ', false],
    ['.*', 'x', false],
    ['[a-z]', 'b', false],
    ['', '', true],
    ['', 'a', false],
  ] as const
  for (const [glob, text, expected] of cases) {
    test(`${glob} ${expected ? 'matches' : 'does not match'} "${text}"`, () =>
      assert.equal(matchGlob(glob, text), expected))
  }

  test('matches what the obvious way of matching matches', () => {
    const glob = fc.string({ unit: fc.constantFrom(...'ab*?'.split('')), maxLength: 8 })
    const text = fc.string({ unit: fc.constantFrom(...'ab'.split('')), maxLength: 10 })
    fc.assert(
      fc.property(glob, text, (pattern, word) => assert.equal(matchGlob(pattern, word), slowly(pattern, word))),
      { numRuns: 3000 },
    )
  })

  test('made to hang a backtracking matcher is answered', () => {
    assert.equal(matchGlob(`${'*a'.repeat(1000)}*b`, 'a'.repeat(5000)), false)
  })

  test('without wildcards is known', () => {
    assert.deepEqual(['a*', 'a?', 'a.b'].map(hasWildcard), [true, true, false])
  })
})
