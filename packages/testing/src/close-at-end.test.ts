// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { closeAtEnd } from './close-at-end.ts'

const closed: string[] = []
const opened = (name: string) => closeAtEnd(async () => void closed.push(name))

describe('resources that a test leaves open', () => {
  before(() => void opened('of the suite'))
  after(() => assert.deepEqual(closed, ['by the test', 'newer', 'older']))

  test('are closed when it ends, the newest first', async () => {
    opened('older')
    const close = opened('by the test')
    opened('newer')
    await close()
    await close()
  })

  test('stay open while the suite that opened them runs', () => {
    assert.deepEqual(closed, ['by the test', 'newer', 'older'])
  })
})

test('resources of a suite are closed when it ends', () => {
  assert.deepEqual(closed, ['by the test', 'newer', 'older', 'of the suite'])
})
