// SPDX-License-Identifier: Apache-2.0
import type { DiskChange } from './disk-trace.ts'

/** Random decisions about unsynced changes. */
export interface Survival {
  /** Returns the number of surviving changes of names among so many, oldest first. */
  names(count: number): number
  /** Returns whether the next sector of a write, or the next change of a size, survives. */
  part(): boolean
  /** Returns the number of changes of one file that may survive among so many, oldest first. */
  changes(count: number): number
}

type ByteChange = Extract<DiskChange, { kind: 'write' | 'truncate' }> & { doneAt: number }

/** The sector size: the unit that a disk writes atomically. */
const SECTOR_BYTES = 512

/** The synced bytes of a file, and the changes since. */
export class LossyFile {
  #synced: Uint8Array
  #pending: ByteChange[] = []

  constructor(bytes: Uint8Array) {
    this.#synced = bytes
  }

  /** Records a change; the returned function marks it as complete. */
  change(change: Extract<DiskChange, { kind: 'write' | 'truncate' }>): (at: number, succeeded: boolean) => void {
    const noted = { ...change, doneAt: Infinity }
    this.#pending.push(noted)
    return (at, succeeded) => {
      if (succeeded) noted.doneAt = at
      else this.#pending = this.#pending.filter((other) => other !== noted)
    }
  }

  /** Ends a sync: all changes that were complete when it began survive. */
  sync(begunAt: number): void {
    const kept = this.#pending.filter(({ doneAt }) => doneAt < begunAt)
    if (kept.length === 0) return
    const bytes = new GrowingBytes(this.#synced)
    for (const change of kept) bytes.apply(change)
    this.#synced = bytes.whole()
    this.#pending = this.#pending.filter(({ doneAt }) => doneAt >= begunAt)
  }

  /** Returns the bytes after all changes. */
  live(): Uint8Array {
    const bytes = new GrowingBytes(this.#synced)
    for (const change of this.#pending) if (change.doneAt !== Infinity) bytes.apply(change)
    return bytes.whole()
  }

  /** The bytes, from and to, that calls may have changed that had not returned. */
  open(): (readonly [number, number])[] {
    return this.#pending
      .filter(({ doneAt }) => doneAt === Infinity)
      .map((change) =>
        change.kind === 'write' ? [change.offset, change.offset + change.bytes.length] : [change.size, Infinity],
      )
  }

  /** Returns the bytes after a power loss. */
  lose(survives: Survival): Uint8Array {
    const bytes = new GrowingBytes(this.#synced)
    for (const change of this.#pending.slice(0, survives.changes(this.#pending.length))) {
      for (const part of partsOf(change)) if (survives.part()) bytes.apply(part)
    }
    return bytes.whole()
  }
}

/** Returns a change sector by sector. */
function* partsOf(change: ByteChange): Generator<ByteChange> {
  if (change.kind === 'truncate') return yield change
  const { offset, bytes } = change
  for (let at = 0; at < bytes.length; ) {
    const size = SECTOR_BYTES - ((offset + at) % SECTOR_BYTES)
    yield { ...change, offset: offset + at, bytes: bytes.subarray(at, at + size) }
    at += size
  }
}

/** Writes bytes at an offset; a hole before them is zero. */
class GrowingBytes {
  #room: Buffer
  #size: number

  constructor(bytes: Uint8Array) {
    this.#room = Buffer.from(bytes)
    this.#size = bytes.length
  }

  apply(change: ByteChange): void {
    if (change.kind === 'truncate') return this.#resize(change.size)
    const end = change.offset + change.bytes.length
    if (end > this.#size) this.#resize(end)
    this.#room.set(change.bytes, change.offset)
  }

  whole(): Uint8Array {
    return this.#room.subarray(0, this.#size)
  }

  #resize(size: number): void {
    if (size < this.#size) this.#room.fill(0, size, this.#size)
    if (size > this.#room.length) {
      const room = Buffer.alloc(Math.max(size, this.#room.length * 2))
      room.set(this.#room)
      this.#room = room
    }
    this.#size = size
  }
}
