// SPDX-License-Identifier: Apache-2.0
import { dirname } from 'node:path'
import type { DiskChange } from './disk-trace.ts'
import { LossyFile } from './lossy-file.ts'
import type { Survival } from './lossy-file.ts'

/** What lies at a path: a folder, or a file with its bytes. `inode` is its number where it is known. */
export type Lying = { readonly inode?: number; readonly bytes?: Uint8Array }

/** What is on a disk, by path below its top; the top itself is ''. */
export type DiskImage = ReadonlyMap<string, Lying>

/** What a disk says is there, and which of its bytes may or may not be so, from and to, as a call had not returned. */
export type LiveImage = ReadonlyMap<string, Lying & { readonly open: readonly (readonly [number, number])[] }>

/** `node` is what came to be there; unlike an inode's number it is given once. */
type NameChange = Extract<DiskChange, { path: string }> & { node: number; isDone: boolean; isSynced: boolean }

/**
 * A disk that keeps what was synced, and of all else what chance will have.
 *
 * Bytes survive once a sync of their file, begun after they were written, has returned; names once their folder was synced
 * so. Syncing a file does not keep its name, and the sectors of a write need not survive together: that is all POSIX
 * promises, and less than most file systems keep.
 */
export class LossyDisk {
  readonly #names = new Map<string, number>()
  /** The node that an inode's number stands for just now. */
  readonly #nodes = new Map<number, number>()
  readonly #files = new Map<number, LossyFile>()
  readonly #nameChanges: NameChange[] = []
  readonly #open = new Map<number, (at: number, succeeded: boolean) => void>()
  #clock = 0
  #lastNode = 0
  /** Whether syncs are obeyed; a disk that lies says they are. */
  readonly #obeys: boolean

  constructor(image: DiskImage, { obeys = true }: { readonly obeys?: boolean } = {}) {
    for (const [path, { inode = -1, bytes }] of image) {
      const node = this.#newNode(inode)
      this.#names.set(path, node)
      if (bytes) this.#files.set(node, new LossyFile(bytes))
    }
    this.#obeys = obeys
  }

  /** Follows what happened, in order. */
  apply(changes: Iterable<DiskChange>): void {
    for (const change of changes) {
      this.#clock++
      switch (change.kind) {
        case 'write':
        case 'truncate':
          this.#open.set(change.serial, this.#fileOf(change.inode).change(change))
          break
        case 'sync':
          this.#sync(change.inode, change.serial)
          break
        case 'done':
          this.#open.get(change.serial)?.(this.#clock, change.succeeded)
          this.#open.delete(change.serial)
          break
        case 'create':
        case 'mkdir':
        case 'rename':
        case 'link':
        case 'unlink':
        case 'rmdir':
          this.#rename(change)
      }
    }
  }

  /** What all that was done comes to. */
  live(): LiveImage {
    const names = this.#liveNames()
    return new Map(
      [...names].map(([path, node]) => {
        const file = this.#files.get(node)
        return [path, { ...(file ? { bytes: file.live() } : {}), open: file?.open() ?? [] }]
      }),
    )
  }

  /** Whether a call that changes names had not returned. */
  get hasOpenNames(): boolean {
    return this.#nameChanges.some(({ isDone }) => !isDone)
  }

  /** What a loss of power leaves; `survives` says of all that was not synced. */
  lose(survives: Survival): DiskImage {
    const kept = survives.names(this.#nameChanges.length)
    const names = namesAfter(
      this.#names,
      this.#nameChanges.filter(({ isSynced }, index) => index < kept || isSynced),
    )
    const contents = new Map<number, Uint8Array>()
    for (const node of names.values()) {
      const file = this.#files.get(node)
      if (file && !contents.has(node)) contents.set(node, file.lose(survives))
    }
    return new Map(
      [...names].map(([path, node]) => {
        const bytes = contents.get(node)
        return [path, bytes ? { bytes } : {}]
      }),
    )
  }

  #newNode(inode: number): number {
    const node = ++this.#lastNode
    this.#nodes.set(inode, node)
    return node
  }

  #fileOf(inode: number): LossyFile {
    const file = this.#files.get(this.#nodes.get(inode) ?? -1)
    if (!file) throw new Error(`the trace has a file that it does not know, inode ${inode}`)
    return file
  }

  #sync(inode: number, serial: number): void {
    const begun = this.#clock
    const node = this.#nodes.get(inode) ?? -1
    const file = this.#files.get(node)
    const names = file ? new Set<NameChange>() : this.#doneIn(node)
    this.#open.set(serial, (_, succeeded) => {
      if (!succeeded || !this.#obeys) return
      file?.sync(begun)
      for (const change of names) change.isSynced = true
    })
  }

  /** The changes of names in a folder that were done. */
  #doneIn(folder: number): Set<NameChange> {
    const paths = new Set([...this.#liveNames()].flatMap(([path, node]) => (node === folder ? [path] : [])))
    return new Set(this.#nameChanges.filter((each) => each.isDone && foldersOf(each).some((path) => paths.has(path))))
  }

  #rename(change: Extract<DiskChange, { path: string }>): void {
    const node = 'inode' in change ? this.#newNode(change.inode) : (this.#liveNames().get(change.path) ?? 0)
    const noted = { ...change, node, isDone: false, isSynced: false }
    this.#nameChanges.push(noted)
    if (change.kind === 'create') this.#files.set(noted.node, new LossyFile(new Uint8Array()))
    this.#open.set(change.serial, (_, succeeded) => {
      if (succeeded) noted.isDone = true
      else this.#nameChanges.splice(this.#nameChanges.indexOf(noted), 1)
    })
  }

  #liveNames(): Map<string, number> {
    return namesAfter(
      this.#names,
      this.#nameChanges.filter(({ isDone }) => isDone),
    )
  }
}

/** The folders whose names a change changes. */
function foldersOf(change: NameChange): string[] {
  const paths = 'to' in change ? [change.path, change.to] : [change.path]
  return paths.map(folderOf)
}

function folderOf(path: string): string {
  const folder = dirname(path)
  return folder === '.' ? '' : folder
}

/** The names that changes lead to; one that lost what it stands on leads nowhere. */
function namesAfter(before: ReadonlyMap<string, number>, changes: readonly NameChange[]): Map<string, number> {
  const names = new Map(before)
  for (const change of changes) {
    if (change.kind === 'create' || change.kind === 'mkdir') {
      if (names.has(folderOf(change.path))) names.set(change.path, change.node)
    } else if (change.kind === 'rename' || change.kind === 'link') {
      moveName(names, change)
    } else names.delete(change.path)
  }
  return names
}

/** What was moved is where it was moved to, also where its earlier name was never on disk. */
function moveName(names: Map<string, number>, { kind, path, to, node }: Extract<NameChange, { to: string }>): void {
  if (!names.has(folderOf(to))) return
  const below = [...names].filter(([name]) => name.startsWith(`${path}/`))
  names.set(to, node)
  if (kind === 'link') return
  names.delete(path)
  for (const [name, at] of below) {
    names.delete(name)
    names.set(to + name.slice(path.length), at)
  }
}
