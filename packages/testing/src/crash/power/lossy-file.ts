// SPDX-License-Identifier: Apache-2.0
import type { DiskChange } from './disk-trace.ts'

/** What chance lets survive of that which was not synced. */
export interface Survival {
  /** How many of so many changes of names, the oldest first. */
  names(count: number): number
  /** Whether the next sector of a write does, or the next change of a size. */
  part(): boolean
  /** How many of so many changes of one file may, the oldest first. */
  changes(count: number): number
}

type ByteChange = Extract<DiskChange, { kind: 'write' | 'truncate' }> & { doneAt: number }

/** What a disk writes as one. */
const SECTOR_BYTES = 512

/** A file's bytes as far as they were synced, and what was done to it since. */
export class LossyFile {
  #synced: Uint8Array
  #pending: ByteChange[] = []

  constructor(bytes: Uint8Array) {
    this.#synced = bytes
  }

  /** Notes a change; call what is returned when it was done. */
  change(change: Extract<DiskChange, { kind: 'write' | 'truncate' }>): (at: number, succeeded: boolean) => void {
    const noted = { ...change, doneAt: Infinity }
    this.#pending.push(noted)
    return (at, succeeded) => {
      if (succeeded) noted.doneAt = at
      else this.#pending = this.#pending.filter((other) => other !== noted)
    }
  }

  /** A sync that began then has returned: what was done before it is kept. */
  sync(begunAt: number): void {
    const kept = this.#pending.filter(({ doneAt }) => doneAt < begunAt)
    if (kept.length === 0) return
    const bytes = new GrowingBytes(this.#synced)
    for (const change of kept) bytes.apply(change)
    this.#synced = bytes.whole()
    this.#pending = this.#pending.filter(({ doneAt }) => doneAt >= begunAt)
  }

  /** What all that was done comes to. */
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

  /** What a loss of power leaves of it. */
  lose(survives: Survival): Uint8Array {
    const bytes = new GrowingBytes(this.#synced)
    for (const change of this.#pending.slice(0, survives.changes(this.#pending.length))) {
      for (const part of partsOf(change)) if (survives.part()) bytes.apply(part)
    }
    return bytes.whole()
  }
}

/** A change, sector by sector. */
function* partsOf(change: ByteChange): Generator<ByteChange> {
  if (change.kind === 'truncate') return yield change
  const { offset, bytes } = change
  for (let at = 0; at < bytes.length; ) {
    const size = SECTOR_BYTES - ((offset + at) % SECTOR_BYTES)
    yield { ...change, offset: offset + at, bytes: bytes.subarray(at, at + size) }
    at += size
  }
}

/** Bytes that are written anywhere; what lies between is zero. */
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
