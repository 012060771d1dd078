// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MatrixError } from '@myelin/matrix/errors'
import { eventFilterOf, passesRoom, passesType, syncFilterOf } from './event-filter.ts'

const many = Array.from({ length: 5000 }, (_, at) => `t${at}`)

test('long lists of a filter match what short ones do', () => {
  for (const types of [
    ['t1', 'm.*', 'a?'],
    [...many, 'm.*', 'a?'],
  ]) {
    const filter = eventFilterOf({ types, not_types: ['*.secret', ...types.slice(20, 4000)] })
    for (const [type, isIn] of [
      ['t1', true],
      ['m.room.name', true],
      ['m.secret', false],
      ['a?', true],
      ['ab', false],
      ['other', false],
    ] as const) {
      assert.equal(passesType(type, filter), isIn, `${type} among ${types.length}`)
    }
    assert.equal(passesType('t100', filter), false)
    assert.equal(passesType('t4500', filter), types.length > 3)
  }
  const rooms = eventFilterOf({ rooms: many, not_rooms: many.slice(0, 100) })
  assert.deepEqual([passesRoom('t1', rooms), passesRoom('t200', rooms), passesRoom('x', rooms)], [false, true, false])
})

test('a list of types has at most 100 entries with a wildcard, in every part of a filter', () => {
  const patterns = Array.from({ length: 101 }, (_, at) => `*${at}*`)
  const isRefused = (cause: unknown) => cause instanceof MatrixError && cause.code === 'M_INVALID_PARAM'
  assert.throws(() => eventFilterOf({ types: patterns }), isRefused)
  assert.throws(() => eventFilterOf({ not_types: patterns }), isRefused)
  for (const part of ['timeline', 'state', 'ephemeral', 'account_data']) {
    assert.throws(() => syncFilterOf({ room: { [part]: { types: patterns } } }), isRefused)
  }
  assert.equal(eventFilterOf({ types: patterns.slice(1) }).types?.length, 100)
})
