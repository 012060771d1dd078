// SPDX-License-Identifier: Apache-2.0
import { dirname } from 'node:path'
import type { DiskChange } from './disk-trace.ts'
import { LossyFile } from './lossy-file.ts'
import type { Survival } from './lossy-file.ts'

/** The node at a path: a folder, or a file with its bytes. `inode` is its number if known. */
export type Lying = { readonly inode?: number; readonly bytes?: Uint8Array }

/** The content of a disk, by path below its root; the root itself is ''. */
export type DiskImage = ReadonlyMap<string, Lying>

/** The content that a disk may have, and the byte ranges that are uncertain because a call had not returned. */
export type LiveImage = ReadonlyMap<string, Lying & { readonly open: readonly (readonly [number, number])[] }>

/** `node` is what came to be there; unlike an inode's number it is given once. */
type NameChange = Extract<DiskChange, { path: string }> & { node: number; isDone: boolean; isSynced: boolean }

/**
 * A disk that keeps synced data, and a random part of all other data.
 *
 * Bytes survive if a sync of their file began after they were written and has returned; names survive if their folder
 * was synced so. A sync of a file does not keep its name, and sectors of one write may survive separately. POSIX
 * promises no more; most file systems keep more.
 */
export class LossyDisk {
  readonly #names = new Map<string, number>()
  /** Returns the node that has an inode number at present. */
  readonly #nodes = new Map<number, number>()
  readonly #files = new Map<number, LossyFile>()
  readonly #nameChanges: NameChange[] = []
  readonly #open = new Map<number, (at: number, succeeded: boolean) => void>()
  #clock = 0
  #lastNode = 0
  /** Syncs take effect. On a lying disk they only return success. */
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

  /** Returns the content after all operations. */
  live(): LiveImage {
    const names = this.#liveNames()
    return new Map(
      [...names].map(([path, node]) => {
        const file = this.#files.get(node)
        return [path, { ...(file ? { bytes: file.live() } : {}), open: file?.open() ?? [] }]
      }),
    )
  }

  /** Returns whether a call that changes names had not returned. */
  get hasOpenNames(): boolean {
    return this.#nameChanges.some(({ isDone }) => !isDone)
  }

  /** Returns the content after a power loss; `survives` decides for each unsynced change. */
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

/** Returns the folders whose entries a change modifies. */
function foldersOf(change: NameChange): string[] {
  const paths = 'to' in change ? [change.path, change.to] : [change.path]
  return paths.map(folderOf)
}

function folderOf(path: string): string {
  const folder = dirname(path)
  return folder === '.' ? '' : folder
}

/** Returns the names after some changes; a change whose predecessor was lost has no effect. */
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

/** Moves a file to its new name, even if its old name was never on disk. */
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
