// SPDX-License-Identifier: Apache-2.0
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import type { Random } from '@myelin/kit/random'
import { Semaphore } from '@myelin/kit/semaphore'
import { MatrixError } from '@myelin/matrix/errors'
import { GrowingFile } from './growing-file.ts'
import { receiveBlob, syncFolder } from './incoming-blob.ts'
import type { BlobPaths, IncomingBlob } from './incoming-blob.ts'

/** A download in progress. */
export interface PendingDownload {
  readonly file: GrowingFile
  /** Resolves when the file is stored. */
  readonly kept: Promise<void>
}

/** A byte range of a blob, both ends included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

// libvips decodes images fast, and takes much memory.
const MAX_AT_ONCE = 2
const MAX_WAITING = 200
const PROBE_BYTES = 64 * 1024
/** Files younger than this may belong to an upload in progress. */
const NEW_MS = 3600 * 1000
const STALE_MS = 24 * 3600 * 1000

/**
 * Stores files by their SHA-256 under one folder (`blobs/ab/cd/abcd…`), and files derived from them.
 *
 * Equal uploads share one file. Names and owners are in the database.
 */
export class BlobStore {
  readonly #folder: string
  readonly #random: Random
  readonly #semaphore = new Semaphore(MAX_AT_ONCE)
  readonly #inTheMaking = new Map<string, Promise<Buffer>>()
  readonly #pendingDownloads = new Map<string, PendingDownload>()
  #incoming: Promise<string> | undefined
  /** The system refused the last blob. */
  #isRefused = false

  constructor(folder: string, random: Random) {
    this.#folder = folder
    this.#random = random
  }

  /** Receives a stream of at most `maxBytes`, which readers may follow. The blob must then be kept or discarded. */
  async receive(source: Readable, maxBytes: number, growing?: GrowingFile): Promise<IncomingBlob> {
    try {
      const blob = await this.#receive(source, maxBytes, growing)
      this.#isRefused = false
      return blob
    } catch (cause) {
      if (!(cause instanceof MatrixError)) this.#isRefused = true
      throw cause
    }
  }

  /** Returns in words why blobs cannot be kept; undefined where they can. Writes to the disk only after a blob was refused. */
  async outage(): Promise<string | undefined> {
    if (!this.#isRefused) return undefined
    const probe = Buffer.alloc(PROBE_BYTES)
    try {
      const blob = await this.receive(Readable.from([probe]), PROBE_BYTES)
      await blob.discard()
      return undefined
    } catch {
      return 'the disk of the media store is full or cannot be written'
    }
  }

  async #receive(source: Readable, maxBytes: number, growing?: GrowingFile): Promise<IncomingBlob> {
    const incoming = await (this.#incoming ??= this.#makeIncoming())
    const paths: BlobPaths = {
      temporary: join(incoming, this.#random.token(24)),
      final: (sha256) => this.#placeFor('blobs', hex(sha256), hex(sha256)),
      wrote: (temporary, sizeBytes) => growing?.wrote(temporary, sizeBytes),
    }
    return receiveBlob(paths, source, maxBytes)
  }

  /** Creates the store's folder where it is missing; its directory entry is on disk before any file is acknowledged. */
  async #makeIncoming(): Promise<string> {
    const incoming = join(this.#folder, 'incoming')
    try {
      const first = await mkdir(incoming, { recursive: true })
      // The process that created the folder may have died before the directory entry was synced.
      await syncFolder(dirname(this.#folder))
      for (let made = this.#folder; first !== undefined && made.startsWith(first); made = dirname(made)) {
        await syncFolder(dirname(made))
      }
    } catch (cause) {
      this.#incoming = undefined
      throw cause
    }
    return incoming
  }

  /** Runs a download by name; concurrent callers share it. Throws `M_LIMIT_EXCEEDED` where too many are in progress. */
  once(name: string, fetch: (file: GrowingFile) => Promise<void>): PendingDownload {
    const running = this.#pendingDownloads.get(name)
    if (running) return running
    if (this.#pendingDownloads.size >= MAX_WAITING)
      throw new MatrixError('M_LIMIT_EXCEEDED', 'too many downloads are in progress')
    const file = new GrowingFile()
    const kept = fetch(file).finally(() => this.#pendingDownloads.delete(name))
    // Readers of the file get the failure from the file.
    kept.then(
      () => file.end(),
      (fault: unknown) => file.end({ fault }),
    )
    const onTheWay = { file, kept }
    this.#pendingDownloads.set(name, onTheWay)
    return onTheWay
  }

  /** Returns the path of a blob. */
  pathOf(sha256: Uint8Array): string {
    return join(this.#folder, 'blobs', ...foldersOf(hex(sha256)), hex(sha256))
  }

  /** Returns a blob's bytes, or a range of them; throws `M_NOT_FOUND` where the file is missing. */
  async read(sha256: Uint8Array, range?: ByteRange): Promise<Readable> {
    const file = await unlessAbsent(open(this.pathOf(sha256), 'r'))
    if (!file) throw new MatrixError('M_NOT_FOUND', 'the file is missing')
    return file.createReadStream(range ?? {})
  }

  /**
   * Returns a file derived from a blob, by its name: from disk, or made and stored. Concurrent callers share the work;
   * few are made at a time, and too many waiting is `M_LIMIT_EXCEEDED`.
   */
  async derived(sha256: Uint8Array, name: string, make: () => Promise<Buffer>): Promise<Buffer> {
    const file = `${hex(sha256)}-${name}`
    const running = this.#inTheMaking.get(file)
    if (running) return running
    const made = this.#derive(hex(sha256), file, make).finally(() => this.#inTheMaking.delete(file))
    this.#inTheMaking.set(file, made)
    return made
  }

  async #derive(hash: string, file: string, make: () => Promise<Buffer>): Promise<Buffer> {
    const kept = await unlessAbsent(readFile(join(this.#folder, 'derived', ...foldersOf(hash), file)))
    if (kept) return kept
    const bytes = await this.makeInTurn(make)
    try {
      await this.#keepDerived(hash, file, bytes)
    } catch (cause) {
      // A thumbnail can be served without being stored, as on a full disk.
      if ((cause as NodeJS.ErrnoException).syscall === undefined) throw cause
      this.#isRefused = true
    }
    return bytes
  }

  async #keepDerived(hash: string, file: string, bytes: Buffer): Promise<void> {
    const temporary = join(this.#folder, 'incoming', this.#random.token(24))
    await mkdir(join(this.#folder, 'incoming'), { recursive: true })
    try {
      await writeFile(temporary, bytes, { flag: 'wx', flush: true })
      await rename(temporary, await this.#placeFor('derived', hash, file))
    } finally {
      await rm(temporary, { force: true })
    }
  }

  /** Makes a derived file that is not stored, within the same limit. */
  async makeInTurn<T>(make: () => Promise<T>): Promise<T> {
    if (this.#semaphore.waiting >= MAX_WAITING) {
      throw new MatrixError('M_LIMIT_EXCEEDED', 'too many images are being processed', {
        extra: { retry_after_ms: 5000 },
      })
    }
    return this.#semaphore.run(make)
  }

  /** Removes incomplete uploads that a stopped process left behind. */
  async removeStale(now: number): Promise<void> {
    const incoming = join(this.#folder, 'incoming')
    for (const name of (await unlessAbsent(readdir(incoming))) ?? []) {
      const path = join(incoming, name)
      const found = await unlessAbsent(stat(path))
      if (found && found.mtimeMs < now - STALE_MS) await rm(path, { force: true })
    }
  }

  /**
   * Deletes a blob and its thumbnails, unless it is used, or was stored in the last hour and may be used by an upload that is not
   * committed yet.
   */
  async removeUnused(
    sha256: Uint8Array,
    { now, isUsed }: { readonly now: number; readonly isUsed: () => Promise<boolean> },
  ): Promise<void> {
    if (await isUsed()) return
    const path = this.pathOf(sha256)
    const aside = join(await (this.#incoming ??= this.#makeIncoming()), this.#random.token(24))
    // Looked at again once it is out of the way: an upload of the same content puts a new file in its place.
    const isMoved = await unlessAbsent(rename(path, aside).then(() => true))
    if (!isMoved) return
    const { mtimeMs } = await stat(aside)
    if (mtimeMs > now - NEW_MS || (await isUsed())) return rename(aside, path)
    await rm(aside, { force: true })
    const folder = join(this.#folder, 'derived', ...foldersOf(hex(sha256)))
    for (const name of (await unlessAbsent(readdir(folder))) ?? []) {
      if (name.startsWith(`${hex(sha256)}-`)) await rm(join(folder, name), { force: true })
    }
  }

  /** Returns the path for a new file, after its folders are on disk. */
  async #placeFor(kind: 'blobs' | 'derived', hash: string, file: string): Promise<string> {
    const [first, second] = foldersOf(hash)
    const top = join(this.#folder, kind)
    await mkdir(join(top, first, second), { recursive: true })
    if (kind === 'blobs') for (const folder of [this.#folder, top, join(top, first)]) await syncFolder(folder)
    return join(top, first, second, file)
  }
}

function hex(sha256: Uint8Array): string {
  return Buffer.from(sha256).toString('hex')
}

function foldersOf(hash: string): [string, string] {
  return [hash.slice(0, 2), hash.slice(2, 4)]
}

async function unlessAbsent<T>(task: Promise<T>): Promise<T | undefined> {
  try {
    return await task
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw cause
  }
}
