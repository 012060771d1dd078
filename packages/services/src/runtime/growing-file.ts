// SPDX-License-Identifier: Apache-2.0
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import type { MediaContent } from '@myelin/storage/media/media'

/** What whoever has a file says of it. */
export type MediaWords = Pick<MediaContent, 'contentType' | 'fileName'>

const CHUNK_BYTES = 64 * 1024

/**
 * A file that is still being written: any number of readers follow it, each at its own pace.
 *
 * They read from disk, so that a slow one holds up nobody and costs no memory. A reader comes to an end only once
 * the file is kept; where it is not, every reader fails, and never looks as if it were through.
 */
export class GrowingFile {
  readonly #waiting = new Set<() => void>()
  #said: MediaWords | undefined
  #path: string | undefined
  #sizeBytes = 0
  #outcome: { readonly fault?: unknown } | undefined

  /** What is said of it, from before its first byte on. */
  get said(): MediaWords | undefined {
    return this.#said
  }

  describe(said: MediaWords): void {
    this.#said = said
  }

  /** So many more bytes are at that path. */
  wrote(path: string, sizeBytes: number): void {
    this.#path = path
    this.#sizeBytes += sizeBytes
    this.#wake()
  }

  /** The file is kept, or, with a fault, it is not. */
  end(outcome: { readonly fault?: unknown } = {}): void {
    this.#outcome = outcome
    this.#wake()
  }

  /**
   * The bytes from the first one on, once there are more than `sizeBytes` of them; undefined where the file is kept
   * first. Rejects with what went wrong before.
   */
  async read(sizeBytes: number): Promise<Readable | undefined> {
    while (this.#sizeBytes <= sizeBytes && !this.#outcome) await this.#more()
    const file = this.#outcome ? undefined : await this.#open()
    if (file) return Readable.from(this.#chunksOf(file), { objectMode: false })
    // All of it is there, and it is on its way to where it is kept.
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
          if (bytesRead === 0) throw new Error('a file is shorter than it was')
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
