// SPDX-License-Identifier: Apache-2.0

/** The operations on files, in the order in which `trace-writes.c` recorded them. */
export type DiskChange =
  | { readonly kind: 'create' | 'mkdir'; readonly serial: number; readonly inode: number; readonly path: string }
  | {
      readonly kind: 'write'
      readonly serial: number
      readonly inode: number
      readonly offset: number
      readonly bytes: Uint8Array
    }
  | { readonly kind: 'truncate'; readonly serial: number; readonly inode: number; readonly size: number }
  | { readonly kind: 'sync'; readonly serial: number; readonly inode: number }
  | { readonly kind: 'rename' | 'link'; readonly serial: number; readonly path: string; readonly to: string }
  | { readonly kind: 'unlink' | 'rmdir'; readonly serial: number; readonly path: string }
  /** The call with that number has returned. */
  | { readonly kind: 'done'; readonly serial: number; readonly succeeded: boolean }

const KINDS = ['', 'create', 'write', 'truncate', 'sync', 'rename', 'unlink', 'mkdir', 'rmdir', 'link', 'done'] as const
const HEADER_BYTES = 32

/** Returns the changes in a trace, without a last one that is cut off. */
export function readTrace(trace: Buffer): DiskChange[] {
  const changes: DiskChange[] = []
  for (let at = 0; at + HEADER_BYTES <= trace.length; ) {
    const end = at + HEADER_BYTES + trace.readUInt32LE(at + 4)
    if (end > trace.length) break
    changes.push(changeOf(trace.subarray(at, at + HEADER_BYTES), trace.subarray(at + HEADER_BYTES, end)))
    at = end
  }
  return changes
}

function changeOf(header: Buffer, data: Buffer): DiskChange {
  const kind = KINDS[header.readUInt32LE(0)]
  const [serial, inode, offset] = [8, 16, 24].map((at) => Number(header.readBigUInt64LE(at))) as [
    number,
    number,
    number,
  ]
  const [path = '', to = ''] = kind === 'write' ? [] : data.toString().split('\0')
  if (kind === undefined || kind === '') throw new Error(`a trace has a record of kind ${header.readUInt32LE(0)}`)
  switch (kind) {
    case 'create':
    case 'mkdir':
      return { kind, serial, inode, path }
    case 'write':
      return { kind, serial, inode, offset, bytes: data }
    case 'truncate':
      return { kind, serial, inode, size: offset }
    case 'sync':
      return { kind, serial, inode }
    case 'rename':
    case 'link':
      return { kind, serial, path, to }
    case 'unlink':
    case 'rmdir':
      return { kind, serial, path }
    case 'done':
      return { kind, serial, succeeded: offset === 1 }
  }
}
