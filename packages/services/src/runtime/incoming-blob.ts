// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Readable } from 'node:stream'
import { crashPoint } from '@myelin/kit/crash-point'
import { MatrixError } from '@myelin/matrix/errors'

/** The temporary path of an incoming blob, and its final one. */
export interface BlobPaths {
  readonly temporary: string
  /** Returns the final path, after its folders are on disk. */
  final(sha256: Uint8Array): Promise<string>
  /** Called after every write. */
  wrote?(temporary: string, sizeBytes: number): void
}

/** A received blob on disk that no name refers to yet. */
export class IncomingBlob {
  readonly sha256: Uint8Array
  readonly sizeBytes: number
  readonly #temporary: string
  readonly #final: string
  #isKept = false

  constructor(blob: { readonly sha256: Uint8Array; readonly sizeBytes: number }, temporary: string, final: string) {
    this.sha256 = blob.sha256
    this.sizeBytes = blob.sizeBytes
    this.#temporary = temporary
    this.#final = final
  }

  /** The path of its file: the temporary one until it is kept. */
  get path(): string {
    return this.#isKept ? this.#final : this.#temporary
  }

  /** Moves the blob to its final path; on return it survives a crash. Calling it twice is harmless. */
  async keep(): Promise<void> {
    if (this.#isKept) return
    await rename(this.#temporary, this.#final)
    crashPoint('blob moved')
    this.#isKept = true
    await syncFolder(dirname(this.#final))
    crashPoint('blob kept')
  }

  /** Deletes the blob, unless it was kept. */
  async discard(): Promise<void> {
    if (!this.#isKept) await rm(this.#temporary, { force: true })
  }
}

/**
 * Writes a stream to disk and returns when it is complete. A stream that ends early or exceeds `maxBytes`
 * (`M_TOO_LARGE`) leaves nothing behind.
 */
export async function receiveBlob(paths: BlobPaths, source: Readable, maxBytes: number): Promise<IncomingBlob> {
  const file = await open(paths.temporary, 'wx')
  try {
    const written = await writeAll(file, source, { maxBytes, wrote: (size) => paths.wrote?.(paths.temporary, size) })
    await file.sync()
    await file.close()
    crashPoint('blob received')
    return new IncomingBlob(written, paths.temporary, await paths.final(written.sha256))
  } catch (cause) {
    await file.close()
    await rm(paths.temporary, { force: true })
    throw cause
  }
}

interface Writing {
  readonly maxBytes: number
  readonly wrote: (sizeBytes: number) => void
}

async function writeAll(file: FileHandle, source: Readable, { maxBytes, wrote }: Writing) {
  const hash = createHash('sha256')
  let sizeBytes = 0
  try {
    // The source is a client's connection, which still gets the error answer, so it must not be destroyed.
    for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      sizeBytes += chunk.length
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes)
      hash.update(chunk)
      await file.writeFile(chunk)
      wrote(chunk.length)
    }
  } catch (cause) {
    if (!source.errored && !source.destroyed) throw cause
    throw new MatrixError('M_UNKNOWN', 'the upload was interrupted', { status: 400, cause })
  }
  return { sha256: hash.digest(), sizeBytes }
}

/** Returns the error for an upload above the limit. */
export function tooLarge(maxBytes: number): MatrixError {
  return new MatrixError('M_TOO_LARGE', `an upload has at most ${maxBytes} bytes`)
}

/** Syncs the entries of a folder to disk. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
