// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { MediaContent } from '@myelin/storage/media/media'

/** The metadata that the source of a file gives. */
export type MediaDescription = Pick<MediaContent, 'contentType' | 'fileName'>

const CHUNK_BYTES = 64 * 1024

/**
 * A file that is still being written, with any number of readers.
 *
 * Readers read from disk, so that a slow one costs no memory and delays no other. A reader ends only once the file is
 * stored; where that fails, every reader fails, so that no truncated file looks complete.
 */
export class GrowingFile {
  readonly #waiting = new Set<() => void>()
  #description: MediaDescription | undefined
  #path: string | undefined
  #sizeBytes = 0
  #outcome: { readonly fault?: unknown } | undefined

  /** Returns the metadata, available before the first byte. */
  get description(): MediaDescription | undefined {
    return this.#description
  }

  describe(description: MediaDescription): void {
    this.#description = description
  }

  /** Records further bytes in the file at a path. */
  wrote(path: string, sizeBytes: number): void {
    this.#path = path
    this.#sizeBytes += sizeBytes
    this.#wake()
  }

  /** Ends the file: it is stored, or, with a fault, it failed. */
  end(outcome: { readonly fault?: unknown } = {}): void {
    this.#outcome = outcome
    this.#wake()
  }

  /**
   * Returns all bytes as a stream, once there are more than `sizeBytes`; undefined where the file is stored first.
   * Rejects where the file failed before.
   */
  async read(sizeBytes: number): Promise<Readable | undefined> {
    while (this.#sizeBytes <= sizeBytes && !this.#outcome) await this.#more()
    const file = this.#outcome ? undefined : await this.#open()
    if (file) return Readable.from(this.#chunksOf(file), { objectMode: false })
    // All bytes are there, and the file is being moved to its final path.
    await this.#over()
    return undefined
  }

  async #open(): Promise<FileHandle | undefined> {
    return open(this.#path ?? '', 'r').catch(() => undefined)
  }

  async #over(): Promise<void> {
    while (!this.#outcome) await this.#more()
    if ('fault' in this.#outcome) throw this.#outcome.fault
  }

  async *#chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
    try {
      let at = 0
      for (;;) {
        if (at < this.#sizeBytes) {
          const length = Math.min(CHUNK_BYTES, this.#sizeBytes - at)
          const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, at)
          if (bytesRead === 0) throw new Error('a file has shrunk')
          at += bytesRead
          yield buffer.subarray(0, bytesRead)
        } else if (this.#outcome) {
          return await this.#over()
        } else await this.#more()
      }
    } finally {
      await file.close()
    }
  }

  #more(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve))
  }

  #wake(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const resolve of waiting) resolve()
  }
}
