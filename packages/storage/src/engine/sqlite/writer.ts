// SPDX-License-Identifier: Apache-2.0
import { Worker } from 'node:worker_threads'
import type { BatchChange } from '../group-commit.ts'
import { BatchRefused } from '../statement.ts'
import { DatabaseUnavailable } from '../unavailable.ts'
import type { Outage } from '../unavailable.ts'
import type { Statement } from '../statement.ts'

/** A batch for the writing thread: many small values in few objects, because each object has a cost. */
export interface WriteOrder {
  readonly start: number
  readonly position: number
  /** New statements, each with the number of its values. They are numbered in order. */
  readonly fresh: readonly (readonly [sql: string, values: number])[]
  /** The statements to run, by number. */
  readonly statements: readonly number[]
  /** All values in order; undefined is a placeholder for bytes. */
  readonly values: readonly unknown[]
  /** All bytes, concatenated, and the length of each value. */
  readonly bytes: Uint8Array
  readonly lengths: readonly number[]
}

/**
 * A report of the thread: its readiness, or the outcome of an order, which is the number of rows changed since the thread began, a
 * failure, or unknown.
 */
export type WriteOutcome =
  | { readonly ready: true }
  | { readonly changes: number }
  | { readonly refused: unknown; readonly outage: Outage | undefined }
  | { readonly lost: unknown }

/** The path of the database, and the file descriptor of its write-ahead log. */
export interface WriterFiles {
  readonly path: string
  readonly logFile: number
}

/**
 * A thread that executes batches of statements, each in one transaction, and syncs them. It starts when it is first asked for.
 */
export class SqliteWriter {
  readonly #files: WriterFiles
  #thread: Worker | undefined
  readonly #numbers = new Map<string, number>()
  #isReady = false
  #waiting: { readonly resolve: () => void; readonly reject: (cause: unknown) => void } | undefined
  /** The number of rows changed since the start. */
  changes = 0

  constructor(files: WriterFiles) {
    this.#files = files
  }

  /** Returns whether the thread has started; it takes some 80 ms, in which a batch is better written elsewhere. */
  isReady(): boolean {
    this.#thread ??= this.#begin()
    return this.#isReady
  }

  /**
   * Writes and commits one batch at a time; it is on disk when the promise resolves. Rejects with a `BatchRefused` or a
   * `DatabaseUnavailable` if nothing was committed; after any other error the outcome is unknown.
   */
  write(statements: readonly Statement[], { start, position }: Omit<BatchChange, 'topics'>): Promise<void> {
    const thread = (this.#thread ??= this.#begin())
    return new Promise<void>((resolve, reject) => {
      this.#waiting = { resolve, reject }
      const order = this.#orderOf(statements, { start, position })
      thread.postMessage(order, [order.bytes.buffer as ArrayBuffer])
    })
  }

  #orderOf(statements: readonly Statement[], move: Pick<WriteOrder, 'start' | 'position'>): WriteOrder {
    const fresh: (readonly [string, number])[] = []
    const numbers: number[] = []
    const values: unknown[] = []
    const parts: Uint8Array[] = []
    for (const { sql, parameters } of statements) {
      let number = this.#numbers.get(sql)
      if (number === undefined) {
        fresh.push([sql, parameters.length])
        this.#numbers.set(sql, (number = this.#numbers.size))
      }
      numbers.push(number)
      for (const value of parameters) {
        if (value instanceof Uint8Array) parts.push(value)
        values.push(value instanceof Uint8Array ? undefined : value)
      }
    }
    const lengths = parts.map(({ byteLength }) => byteLength)
    return { ...move, fresh, statements: numbers, values, bytes: joined(parts), lengths }
  }

  #begin(): Worker {
    const thread = new Worker(new URL('writer-thread.ts', import.meta.url), { workerData: this.#files })
    thread.on('message', (outcome: WriteOutcome) => {
      if ('ready' in outcome) return void (this.#isReady = true)
      const waiting = this.#waiting
      this.#waiting = undefined
      if ('refused' in outcome) return waiting?.reject(refusalOf(outcome))
      if ('lost' in outcome) return waiting?.reject(outcome.lost)
      this.changes = outcome.changes
      waiting?.resolve()
    })
    thread.on('error', (cause) => this.#waiting?.reject(cause))
    thread.on('exit', (code) => this.#waiting?.reject(new Error(`writer thread exited with code ${code}`)))
    return thread
  }

  async close(): Promise<void> {
    await this.#thread?.terminate()
  }
}

function refusalOf({ refused, outage }: { readonly refused: unknown; readonly outage: Outage | undefined }): Error {
  return outage ? new DatabaseUnavailable(outage, refused) : new BatchRefused(refused)
}

/** Returns the concatenation of bytes, in memory that can be transferred to a thread. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.byteLength
  }
  return all
}
