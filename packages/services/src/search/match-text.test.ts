// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MatrixError } from '@myelin/matrix/errors'
import fc from 'fast-check'
import { matchText } from './match-text.ts'
import { parseSearchTerm, tokensNeededFor } from './search-term.ts'
import { tokensOf } from './tokens.ts'

const matches = (text: string, term: string) => matchText(text, parseSearchTerm(term)) !== undefined
const rank = (text: string, term: string) => matchText(text, parseSearchTerm(term))?.rank ?? 0

const TEXT = 'The martians, and the men from Zürich, are LATE (again)'

test('a term matches with all of its words, in any order, by their beginnings', () => {
  for (const term of ['martian', 'men zur', 'LATE, the!', 'Zürich martians', 'again', 'and'])
    assert.equal(matches(TEXT, term), true, term)
  for (const term of ['martianss', 'men women', 'artians', 'ag', 'lat-er', 'zurichs'])
    assert.equal(matches(TEXT, term), false, term)
})

test('quotes ask for whole words one after the other', () => {
  for (const term of ['"the men"', '"MEN FROM zurich"', '“late again”', '„the men“ martian', '"martians"'])
    assert.equal(matches(TEXT, term), true, term)
  for (const term of ['"men the"', '"the martian"', '"men zurich"', '"martian"'])
    assert.equal(matches(TEXT, term), false, term)
})

test('a minus leaves out, and `or` gives a choice', () => {
  for (const term of ['martian -women', 'women or martian', 'women OR "the men"', '-"men the" men', 'martian or'])
    assert.equal(matches(TEXT, term), true, term)
  for (const term of ['martian -men', 'women or boys', '-"the men" martian', 'or', '-men', ''])
    assert.equal(matches(TEXT, term), false, term)
})

test('runs match with any part of two characters, and with one that is Chinese', () => {
  for (const term of ['東京', '京都に', '行き', '都', '"東京都に行きます"', '東京 行き'])
    assert.equal(matches('明日は東京都に行きます', term), true, term)
  for (const term of ['京東', 'ま', '東京 大阪']) assert.equal(matches('明日は東京都に行きます', term), false, term)
  assert.equal(matches('ま', 'ま'), true)
  assert.equal(matches('สวัสดีครับ', 'ครับ'), true)
  assert.equal(matches('서울에서 만나요', '서울'), true)
  assert.equal(matches('happy birthday 🎂', '🎂'), true)
})

test('the rank is higher for whole words, more of them, and shorter texts', () => {
  assert.ok(rank('a martian', 'martian') > rank('a martianess', 'martian'))
  assert.ok(rank('martian martian', 'martian') > rank('martian woman', 'martian'))
  assert.ok(rank('martian', 'martian') > rank(`martian ${'and '.repeat(50)}`, 'martian'))
  assert.ok(rank('martian', 'martian or woman') > 0)
  assert.ok(rank(`${'martian '.repeat(5_000)}`, 'martian') < 1)
})

test('the words that match are told as they are written', () => {
  assert.deepEqual(matchText(TEXT, parseSearchTerm('zur MARTIAN'))?.words, ['martians', 'zürich'])
  assert.deepEqual(matchText('明日は東京都に', parseSearchTerm('東京'))?.words, ['東京'])
})

test('a term may not have very many words', () => {
  const isRefused = (term: string) => {
    assert.throws(
      () => parseSearchTerm(term),
      (error) => error instanceof MatrixError && error.code === 'M_INVALID_PARAM',
    )
  }
  isRefused('a '.repeat(33))
  isRefused(`"${'a '.repeat(33)}"`)
  isRefused(Array.from({ length: 9 }, (_, index) => `w${index}`).join(' or '))
  assert.equal(parseSearchTerm('a '.repeat(32)).length, 1)
})

const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'martian',
        'Mars',
        'é',
        'straße',
        'ab',
        'abcd',
        'abcdef',
        '東京都',
        '猫',
        'ねこ',
        'สวัสดี',
        '🎉',
        '-',
        '"',
      ),
      fc.string({ unit: 'grapheme', maxLength: 6 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(' '))

test('a text that matches a term has the tokens by which it is looked up', () => {
  fc.assert(
    fc.property(text, text, (body, term) => {
      for (const alternative of parseSearchTerm(term)) {
        if (!matchText(body, [alternative])) continue
        const tokens = tokensOf(body)
        assert.deepEqual(
          tokensNeededFor(alternative).filter((token) => !tokens.includes(token)),
          [],
        )
      }
    }),
    { numRuns: 2_000 },
  )
})

test('a text matches each of its words in quotes', () => {
  fc.assert(
    fc.property(text, (body) => {
      const words = body.split(' ').filter((word) => parseSearchTerm(word.replace(/^-+/, ''))[0]?.wanted.length === 1)
      for (const word of words) assert.equal(matches(body, `"${word.replaceAll(/^-+|"/g, '')}"`), true, word)
    }),
  )
})
