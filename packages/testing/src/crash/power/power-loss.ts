// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readTrace } from './disk-trace.ts'
import { LossyDisk } from './lossy-disk.ts'
import type { DiskImage, Lying, LiveImage } from './lossy-disk.ts'
import type { Survival } from './lossy-file.ts'
import type { Chance } from '../../chance.ts'

/** SQLite's shared-memory index, which it rebuilds on the first open. It is mapped, so it cannot be traced. */
const isScratch = (path: string) => path.endsWith('-shm')

/** As on a slow disk. */
const SLOW_SYNC_MICROS = '15000'

/** A file system whose power can be cut: all that a server does below one folder is traced. */
export class PowerLoss {
  readonly #folder: string
  readonly #trace: string
  readonly #environment: Readonly<Record<string, string>>
  readonly #lies: boolean
  #disk: LossyDisk
  /** The number of power losses, and the unsynced data that they removed. */
  readonly lost = { cuts: 0, files: 0, bytes: 0 }

  private constructor(folder: string, library: string, lies: boolean) {
    this.#folder = folder
    this.#trace = `${library}.trace`
    this.#lies = lies
    this.#environment = {
      LD_PRELOAD: library,
      TRACE_WRITES_UNDER: folder,
      TRACE_WRITES_TO: this.#trace,
      TRACE_WRITES_SYNC_MICROS: SLOW_SYNC_MICROS,
    }
    this.#disk = new LossyDisk(imageOf(folder))
  }

  /**
   * Traces an existing folder; the tracer is compiled to `library`. Returns a text with the reason if that is not
   * possible. With `lies`, no sync takes effect after the first power loss.
   */
  static over(folder: string, library: string, { lies = false } = {}): PowerLoss | string {
    if (process.platform !== 'linux') return 'losing power is rehearsed on Linux only'
    const source = fileURLToPath(new URL('trace-writes.c', import.meta.url))
    const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0)
    if (!compiler) return 'losing power is rehearsed with a C compiler, and there is none'
    const made = spawnSync(compiler, ['-O2', '-shared', '-fPIC', '-o', library, source, '-ldl'], { encoding: 'utf8' })
    if (made.status !== 0) return `the tracer could not be compiled: ${made.stderr}`
    mkdirSync(folder, { recursive: true })
    return new PowerLoss(folder, library, lies)
  }

  /** Returns the environment of a server to be traced. */
  get environment(): Readonly<Record<string, string>> {
    return this.#environment
  }

  /**
   * Replaces the folder by what survives: synced data, and a random part of the rest. The server is dead. Throws if the
   * trace does not explain the content of the disk: the tracer missed an operation.
   */
  cut(chance: Chance): void {
    this.#disk.apply(readTrace(existsSync(this.#trace) ? readFileSync(this.#trace) : Buffer.alloc(0)))
    rmSync(this.#trace, { force: true })
    const live = this.#disk.live()
    if (!this.#disk.hasOpenNames) checkSame(live, imageOf(this.#folder))
    // The first loss removes everything unsynced. A lying disk reverts to its old content as a whole: torn files would
    // keep the server from starting, and no invariant could be checked.
    const isWorst = this.lost.cuts === 0 || this.#lies
    const left = this.#disk.lose(isWorst ? NOTHING : survivalOf(chance))
    this.#count(live, left)
    writeImage(this.#folder, left)
    // The content at the restart counts as synced.
    this.#disk = new LossyDisk(imageOf(this.#folder), { obeys: !this.#lies })
  }

  #count(live: LiveImage, left: DiskImage): void {
    this.lost.cuts++
    for (const path of new Set([...live.keys(), ...left.keys()])) {
      if (isScratch(path)) continue
      const [before, after] = [Buffer.from(live.get(path)?.bytes ?? []), Buffer.from(left.get(path)?.bytes ?? [])]
      if (before.equals(after)) continue
      this.lost.files++
      for (let at = 0; at < Math.max(before.length, after.length); at++) if (before[at] !== after[at]) this.lost.bytes++
    }
  }
}

const NOTHING: Survival = { names: () => 0, changes: () => 0, part: () => false }

/** Survivors are none, all, the older part, or any sectors. */
function survivalOf(chance: Chance): Survival {
  const way = chance.pick(['nothing', 'all', 'older', 'sectors', 'sectors'])
  const share = chance.part()
  const some = (count: number) => Math.floor(chance.part() * (count + 1))
  if (way === 'nothing') return NOTHING
  if (way === 'all') return { names: (count) => count, changes: (count) => count, part: () => true }
  if (way === 'older') return { names: some, changes: some, part: () => true }
  return { names: some, changes: (count) => count, part: () => chance.part() < share }
}

function checkSame(live: LiveImage, actual: DiskImage): void {
  const differing = [...new Set([...live.keys(), ...actual.keys()])].filter((path) => {
    const [traced, found] = [live.get(path), actual.get(path)]
    return !isScratch(path) && !(traced && found && isSame(traced, found))
  })
  if (differing.length > 0) throw new Error(`the trace does not explain ${differing.join(', ')}`)
}

function isSame(
  { bytes, open }: Lying & { readonly open: readonly (readonly [number, number])[] },
  found: Lying,
): boolean {
  if (!bytes || !found.bytes) return !bytes && !found.bytes
  if (open.length === 0) return Buffer.from(bytes).equals(found.bytes)
  const isOpen = (at: number) => open.some(([from, to]) => at >= from && at < to)
  for (let at = 0; at < Math.max(bytes.length, found.bytes.length); at++) {
    if (bytes[at] !== found.bytes[at] && !isOpen(at)) return false
  }
  return true
}

function imageOf(folder: string): Map<string, Lying> {
  const image = new Map<string, Lying>([['', { inode: statSync(folder).ino }]])
  for (const path of readdirSync(folder, { recursive: true }) as string[]) {
    const found = statSync(join(folder, path))
    image.set(
      path,
      found.isDirectory() ? { inode: found.ino } : { inode: found.ino, bytes: readFileSync(join(folder, path)) },
    )
  }
  return image
}

function writeImage(folder: string, image: DiskImage): void {
  for (const name of readdirSync(folder)) if (!isScratch(name)) rmSync(join(folder, name), { recursive: true })
  // A folder precedes its content.
  for (const [path, { bytes }] of [...image].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (path === '' || isScratch(path)) continue
    if (bytes) writeFileSync(join(folder, path), bytes)
    else mkdirSync(join(folder, path))
  }
}
