// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WriterMemory } from './writer-memory.ts'

/** A batch that did what some requests ask for. */
function batch(memory: WriterMemory, start: number, end: number, ...requests: string[]): void {
  memory.begin(start)
  for (const request of requests) memory.noteRequest(request)
  memory.end(end)
}

test('a request that was made after a look is not unmade, and one before it is', () => {
  const memory = new WriterMemory()
  batch(memory, 10, 20, 'one')
  batch(memory, 20, 30, 'two')
  assert.equal(memory.isUnmade('one', 10), false)
  assert.equal(memory.isUnmade('one', 15), false)
  assert.equal(memory.isUnmade('one', 20), true)
  assert.equal(memory.isUnmade('two', 20), false)
  assert.equal(memory.isUnmade('three', 10), true)
})

test('nothing is certain of a time before what is remembered', () => {
  const memory = new WriterMemory()
  batch(memory, 10, 20)
  assert.equal(memory.isUnmade('one', 9), false)
  for (let start = 20; start < 100; start += 10) batch(memory, start, start + 10, 'one')
  assert.equal(memory.isUnmade('two', 10), false)
  assert.equal(memory.isUnmade('two', 20), true)
})

test('nothing is certain while nothing was begun, and of what was there when somebody else wrote', () => {
  const memory = new WriterMemory()
  assert.equal(memory.isUnmade('one', 1000), false)
  batch(memory, 10, 20, 'one')
  batch(memory, 25, 30)
  assert.equal(memory.isUnmade('two', 20), false)
  assert.equal(memory.isUnmade('two', 25), true)
  memory.forget()
  assert.equal(memory.isUnmade('two', 1000), false)
})
