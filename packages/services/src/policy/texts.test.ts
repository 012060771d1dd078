// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { folded, globFoundIn, hasLink, mentionsIn, textsIn } from './texts.ts'

describe('the texts of an event', () => {
  test('are all its strings, folded, however deep they stand', () => {
    const content = { body: 'A\u200bB', n: 1, 'm.new_content': { list: [['ＦＵＬＬ'], null, true] } }
    assert.deepEqual(textsIn(content).toSorted(), ['ab', 'full'])
  })

  const found = [
    ['a plain word anywhere', 'free coins', 'get FREE Coins today', true],
    ['a star for any text', 'free*coins', 'free, really free, coins', true],
    ['a question mark for one letter', 'fr?e', 'frxe', true],
    ['but not for none', 'fr?e', 'fre', false],
    ['nothing that is not there', 'free coins', 'free bread', false],
    ['what a regular expression would read otherwise', '.+', 'abc', false],
  ] as const
  for (const [what, glob, text, expected] of found) {
    test(`have ${what}`, async () => {
      assert.equal((await globFoundIn([folded(text)], [folded(glob)])) !== undefined, expected)
    })
  }

  test('of the greatest length are searched for stars in steps, and others have their turn between', async () => {
    let turns = 0
    let isSearching = true
    const tick = () => {
      turns++
      if (isSearching) setImmediate(tick)
    }
    setImmediate(tick)
    const globs = Array.from({ length: 50 }, (_, index) => `a*a*a*a*b${index}`)
    assert.equal(await globFoundIn(['a'.repeat(65_000)], globs), undefined)
    isSearching = false
    assert.ok(turns >= 50)
  })

  test('have links where something leads away', () => {
    assert.deepEqual(
      ['see HTTPS://a.test', 'http://b', 'https://matrix.to/#/@a:b', 'a.test', 'https is good'].map((text) =>
        hasLink([folded(text)]),
      ),
      [true, true, true, false, false],
    )
  })
})

describe('the people an event mentions', () => {
  const counted = (content: object) => mentionsIn(content as never, textsIn(content as never))
  test('are counted once each, wherever they are named', () => {
    const content = {
      body: 'hi @a:one.test and (@b:one.test), @a:one.test.',
      formatted_body: '<a href="https://matrix.to/#/%40c%3Aone.test">c</a>',
      'm.mentions': { user_ids: ['@a:one.test', '@d:one.test'], room: true },
    }
    assert.equal(counted(content), 5)
  })

  test('are not what merely has an @ in it', () => {
    assert.equal(counted({ body: 'a@b.test, @, @@@:, @me, @:x' }), 0)
  })

  test('are counted in edits, too, and lists of something else count one', () => {
    assert.equal(counted({ 'm.new_content': { 'm.mentions': { user_ids: ['@a:b', 1, null] } } }), 2)
    assert.equal(counted({ 'm.mentions': { user_ids: '@a' } }), 0)
  })
})
