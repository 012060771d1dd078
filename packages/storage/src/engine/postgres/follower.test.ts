// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CommitHint } from '../database.ts'
import { KnownTopicPositions } from '../topic-positions.ts'
import { PostgresFollower, encodeTopics } from './follower.ts'
import type { Move } from './follower.ts'

/** A follower over a log that the test writes. */
function following(log: Move[]) {
  const moves = new KnownTopicPositions()
  const heard: CommitHint[] = []
  let looks = 0
  const read = async (after: number) => {
    looks++
    return log.filter(({ position }) => position > after)
  }
  const follower = new PostgresFollower(moves, read, (hint) => heard.push(hint))
  return { moves, heard, follower, looks: () => looks }
}

test('changes of other nodes are announced once, and known with their position', async () => {
  const log: Move[] = [{ start: 0, position: 3, topics: ['a'] }]
  const { moves, heard, follower } = following(log)
  assert.equal(await follower.position(), 3)
  log.push({ start: 3, position: 5, topics: ['b'] })
  assert.equal(await follower.position(), 5)
  assert.deepEqual([moves.changedSince('a', 3), moves.changedSince('b', 3)], [false, true])
  assert.deepEqual(
    heard.map(({ position, topics }) => [position, [...topics]]),
    [
      [3, ['a']],
      [5, ['b']],
    ],
  )
})

test('a commit of this node that follows the last known one needs no look, any other does', async () => {
  const log: Move[] = [{ start: 0, position: 2, topics: ['mine'] }]
  const { moves, follower, looks } = following(log)
  await follower.follow({ start: 0, position: 2, topics: ['mine'] })
  assert.deepEqual([looks(), moves.position], [0, 2])
  log.push({ start: 2, position: 4, topics: ['theirs'] }, { start: 4, position: 6, topics: ['mine'] })
  await follower.follow({ start: 4, position: 6, topics: ['mine'] })
  assert.deepEqual([looks(), moves.position, moves.changedSince('theirs', 2)], [1, 6, true])
})

test('where rows were swept away, everything may have moved', async () => {
  const { moves, heard, follower } = following([{ start: 50, position: 60, topics: ['a'] }])
  assert.equal(await follower.position(), 60)
  assert.equal(moves.changedSince('never named', 10), true)
  assert.equal(moves.changedSince('never named', 60), false)
  assert.ok(heard[0]?.topics.has('*'))
})

test('a call during a read gets a later read, which concurrent calls share', async () => {
  const { follower, looks } = following([])
  await Promise.all([follower.position(), follower.position(), follower.position()])
  assert.equal(looks(), 2)
})

test('a commit that moved very much says that everything moved', () => {
  const many = new Set(Array.from({ length: 1001 }, (_, index) => `topic ${index}`))
  assert.equal(encodeTopics(many), '["*"]')
  assert.equal(encodeTopics(new Set(['a'])), '["a"]')
})
