// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readTrace } from './disk-trace.ts'
import type { DiskChange } from './disk-trace.ts'
import { LossyDisk } from './lossy-disk.ts'
import type { DiskImage } from './lossy-disk.ts'
import type { Survival } from './lossy-file.ts'

const top: DiskImage = new Map([['', { inode: 1 }]])
const nothing: Survival = { names: () => 0, part: () => false, changes: (count) => count }
const everything: Survival = { names: (count) => count, part: () => true, changes: (count) => count }
let serial = 0

/** A call that returned. */
function call(change: Record<string, unknown>): DiskChange[] {
  serial++
  return [{ ...change, serial } as unknown as DiskChange, { kind: 'done', serial, succeeded: true }]
}
const create = (path: string, inode: number) => call({ kind: 'create', path, inode })
const write = (inode: number, text: string, offset = 0) =>
  call({ kind: 'write', inode, offset, bytes: Buffer.from(text) })
const sync = (inode: number) => call({ kind: 'sync', inode })
const rename = (path: string, to: string) => call({ kind: 'rename', path, to })

function left(changes: readonly (readonly DiskChange[])[], survives: Survival, options = {}): Record<string, string> {
  const disk = new LossyDisk(top, options)
  disk.apply(changes.flat())
  const image = disk.lose(survives)
  return Object.fromEntries(
    [...image].flatMap(([path, { bytes }]) => (bytes ? [[path, Buffer.from(bytes).toString()]] : [])),
  )
}

describe('a disk that loses its power', () => {
  test('keeps bytes that were synced in a folder that was synced', () => {
    assert.deepEqual(left([create('a', 2), write(2, 'old'), sync(2), sync(1), write(2, 'new')], nothing), { a: 'old' })
  })

  test('keeps no file by its name where only the file was synced', () => {
    assert.deepEqual(left([create('a', 2), write(2, 'old'), sync(2)], nothing), {})
  })

  test('keeps an empty file where only its name was synced', () => {
    assert.deepEqual(left([create('a', 2), write(2, 'old'), sync(1)], nothing), { a: '' })
  })

  test('keeps what was before where a rename was not synced', () => {
    const steps = [create('a', 2), write(2, 'x'), sync(2), sync(1), rename('a', 'b')]
    assert.deepEqual(left(steps, nothing), { a: 'x' })
    assert.deepEqual(left(steps, everything), { b: 'x' })
    assert.deepEqual(left([...steps, sync(1)], nothing), { b: 'x' })
  })

  test('keeps what was moved to a synced folder from one that never was', () => {
    const made = [
      call({ kind: 'mkdir', path: 'in', inode: 5 }),
      call({ kind: 'mkdir', path: 'out', inode: 6 }),
      sync(1),
    ]
    const steps = [...made, create('in/a', 2), write(2, 'x'), sync(2), rename('in/a', 'out/b')]
    assert.deepEqual(left(steps, nothing), {})
    assert.deepEqual(left([...steps, sync(6)], nothing), { 'out/b': 'x' })
  })

  test('keeps no file in a folder that it did not keep', () => {
    const steps = [call({ kind: 'mkdir', path: 'd', inode: 5 }), create('d/a', 2), write(2, 'x'), sync(2), sync(5)]
    assert.deepEqual(left(steps, nothing), {})
    assert.deepEqual(left([...steps, sync(1)], nothing), { 'd/a': 'x' })
  })

  test('keeps what was written before a sync began, and not what came while it ran', () => {
    const [during, ended] = [write(2, 'bb'), { kind: 'done', serial: 900, succeeded: true } as const]
    const steps = [create('a', 2), sync(1), write(2, 'aa'), [{ kind: 'sync', serial: 900, inode: 2 } as const], during]
    assert.deepEqual(left([...steps, [ended]], nothing), { a: 'aa' })
    assert.deepEqual(left(steps, nothing), { a: '' })
  })

  test('believes no sync that failed, and no write', () => {
    const failed = (change: DiskChange[]) => [change[0]!, { ...change[1]!, succeeded: false } as DiskChange]
    assert.deepEqual(left([create('a', 2), sync(1), write(2, 'aa'), failed(sync(2))], nothing), { a: '' })
    assert.deepEqual(left([create('a', 2), sync(1), failed(write(2, 'aa')), sync(2)], everything), { a: '' })
  })

  test('tears a write between its sectors, and what is missing is zero', () => {
    let turn = 0
    const odd: Survival = { ...everything, part: () => turn++ % 2 === 1 }
    const torn = left([create('a', 2), sync(1), write(2, 'x'.repeat(1024))], odd)
    assert.equal(torn['a'], '\0'.repeat(512) + 'x'.repeat(512))
  })

  test('obeys no sync where it lies', () => {
    assert.deepEqual(left([create('a', 2), write(2, 'x'), sync(2), sync(1)], nothing, { obeys: false }), {})
  })

  test('separates an inode from an earlier one with its number', () => {
    const steps = [
      create('a', 2),
      write(2, 'old'),
      sync(2),
      sync(1),
      call({ kind: 'unlink', path: 'a' }),
      create('b', 2),
      write(2, 'new'),
    ]
    assert.deepEqual(left(steps, nothing), { a: 'old' })
    assert.deepEqual(left(steps, everything), { b: 'new' })
  })
})

test('a trace is read up to where its writer died', () => {
  const record = Buffer.alloc(32 + 3)
  record.writeUInt32LE(2, 0)
  record.writeUInt32LE(3, 4)
  record.writeBigUInt64LE(7n, 8)
  record.writeBigUInt64LE(9n, 16)
  record.writeBigUInt64LE(11n, 24)
  record.write('abc', 32)
  const [change, ...others] = readTrace(Buffer.concat([record, record.subarray(0, 34)]))
  assert.deepEqual(change, { kind: 'write', serial: 7, inode: 9, offset: 11, bytes: record.subarray(32) })
  assert.equal(others.length, 0)
})
