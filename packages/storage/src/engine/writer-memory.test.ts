// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WriterMemory } from './writer-memory.ts'

/** A batch whose units noted some keys. */
function batch(memory: WriterMemory, start: number, end: number, ...keys: string[]): void {
  memory.begin(start)
  for (const key of keys) memory.note(key)
  memory.end(end)
}

test('a key is unnoted since a position behind the batch that noted it', () => {
  const memory = new WriterMemory()
  batch(memory, 10, 20, 'one')
  batch(memory, 20, 30, 'two')
  assert.equal(memory.isUnnoted('one', 10), false)
  assert.equal(memory.isUnnoted('one', 15), false)
  assert.equal(memory.isUnnoted('one', 20), true)
  assert.equal(memory.isUnnoted('two', 20), false)
  assert.equal(memory.isUnnoted('three', 10), true)
})

test('nothing is known since positions before the oldest record', () => {
  const memory = new WriterMemory()
  batch(memory, 10, 20)
  assert.equal(memory.isUnnoted('one', 9), false)
  for (let start = 20; start < 100; start += 10) batch(memory, start, start + 10, 'one')
  assert.equal(memory.isUnnoted('two', 10), false)
  assert.equal(memory.isUnnoted('two', 20), true)
})

test("nothing is known before the first batch, nor of rows from before another writer's batch", () => {
  const memory = new WriterMemory()
  assert.equal(memory.isUnnoted('one', 1000), false)
  batch(memory, 10, 20, 'one')
  batch(memory, 25, 30)
  assert.equal(memory.isUnnoted('two', 20), false)
  assert.equal(memory.isUnnoted('two', 25), true)
  memory.forget()
  assert.equal(memory.isUnnoted('two', 1000), false)
})
