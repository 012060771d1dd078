// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { segmentsOf } from './segments.ts'

const texts = (text: string) => segmentsOf(text).map((segment) => segment.text)
const kinds = (text: string) => segmentsOf(text).map(({ kind, text: own }) => `${kind} ${own}`)

test('words are split at everything that is no letter and no digit', () => {
  assert.deepEqual(texts("It's 10:30, see https://example.org/a_b?c=d!"), [
    ...['it', 's', '10', '30', 'see', 'https', 'example', 'org', 'a', 'b', 'c', 'd'],
  ])
  assert.deepEqual(texts(' \t\n.,-_ '), [])
})

test('case, accents and width make no difference', () => {
  const same: readonly (readonly [string, string])[] = [
    ['ÉCOLE', 'école'],
    ['e\u0301cole', 'ecole'],
    ['Straße', 'STRASSE'],
    ['ＡＢＣ１２', 'abc12'],
    ['ｶﾞｷﾞ', 'ガギ'],
    ['ΣΊΣΥΦΟΣ', 'σισυφος'],
    ['İstanbul', 'istanbul'],
    ['ёлка', 'елка'],
    ['Łódź', 'lodz'],
    ['שָׁלוֹם', 'שלום'],
    ['مُحَمَّد', 'محمد'],
    ['ﬁn', 'FIN'],
  ]
  for (const [one, other] of same) assert.deepEqual(texts(one), texts(other), `${one} ${other}`)
})

test('marks that change a letter of another script stay', () => {
  assert.notDeepEqual(texts('が'), texts('か'))
  assert.notDeepEqual(texts('สี'), texts('สิ'))
  assert.notDeepEqual(texts('की'), texts('कि'))
})

test('scripts without spaces make runs, which end where words or digits begin', () => {
  assert.deepEqual(kinds('LINEで会おう、3時に'), ['word line', 'run で会おう', 'word 3', 'run 時に'])
  assert.deepEqual(kinds('サーバー'), ['run サーバー'])
  assert.deepEqual(kinds('안녕하세요 สวัสดี'), ['run 안녕하세요', 'run สวัสดี'])
  assert.deepEqual(kinds('𠮷野家'), ['run 𠮷野家'])
})

test('each emoji is a sign', () => {
  assert.deepEqual(kinds('party 🎉🎂'), ['word party', 'sign 🎉', 'sign 🎂'])
})

test('the short way for plain texts gives the same as the long one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 40 }), (text) => {
      // The last character makes the text take the long way.
      assert.deepEqual(segmentsOf(text), segmentsOf(`${text} é`).slice(0, -1))
    }),
  )
})

test('no text makes a segment without text, or with quotes or blanks', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
      for (const segment of segmentsOf(text)) assert.match(segment.text, /^[^\s"']+$/u)
    }),
  )
})
