// SPDX-License-Identifier: Apache-2.0
import { hash as digest } from 'node:crypto'
import type { Bytes, Nid } from './schema.ts'

/** A node of a room's state: few entries in a leaf, else up to 32 children. */
export type TrieNode = Leaf | Branch

/** State keys (ascending) and the events that hold them. */
export interface Leaf {
  readonly keys: readonly Nid[]
  readonly events: readonly Nid[]
}

/** Bit i of the bitmap is set if slot i has a child. Children are in slot order. */
export interface Branch {
  readonly bitmap: number
  readonly children: readonly Nid[]
}

/** The root of the empty state. */
export const EMPTY_STATE: Nid = 0
/** The capacity of a leaf, and the number of slots of a branch. */
export const FANOUT = 32

/** Returns the slot of a key in a branch at `depth`: its `depth`-th group of five bits, lowest first. */
export function slotOf(key: Nid, depth: number): number {
  return Math.floor(key / FANOUT ** depth) % FANOUT
}

/** Distinguishes the two kinds of nodes. */
export function isLeaf(node: TrieNode): node is Leaf {
  return 'keys' in node
}

/** Returns the child in a slot, or {@link EMPTY_STATE}. */
export function childAt(branch: Branch, slot: number): Nid {
  const bit = 1 << slot
  if ((branch.bitmap & bit) === 0) return EMPTY_STATE
  return branch.children[bitCount(branch.bitmap & (bit - 1))] ?? EMPTY_STATE
}

/** Returns a branch with another child in one slot; {@link EMPTY_STATE} empties the slot. */
export function withChild(branch: Branch, slot: number, child: Nid): Branch {
  const bit = 1 << slot
  const index = bitCount(branch.bitmap & (bit - 1))
  const isPresent = (branch.bitmap & bit) !== 0
  const children = branch.children.slice()
  children.splice(index, isPresent ? 1 : 0, ...(child === EMPTY_STATE ? [] : [child]))
  const bitmap = child === EMPTY_STATE ? branch.bitmap & ~bit : branch.bitmap | bit
  return { bitmap: bitmap >>> 0, children }
}

/** Returns a leaf with one entry put in, replaced, or (event undefined) taken out. */
export function withEntry(leaf: Leaf, key: Nid, event: Nid | undefined): Leaf {
  const index = lowerBound(leaf.keys, key)
  const isPresent = leaf.keys[index] === key
  const keys = leaf.keys.slice()
  const events = leaf.events.slice()
  keys.splice(index, isPresent ? 1 : 0, ...(event === undefined ? [] : [key]))
  events.splice(index, isPresent ? 1 : 0, ...(event === undefined ? [] : [event]))
  return { keys, events }
}

/** Returns the event a leaf holds for a key. */
export function entryOf(leaf: Leaf, key: Nid): Nid | undefined {
  const index = lowerBound(leaf.keys, key)
  return leaf.keys[index] === key ? leaf.events[index] : undefined
}

/** Returns a node as it is stored: a kind byte, then variable-length numbers. Equal states give equal bytes. */
export function encodeNode(node: TrieNode): Bytes {
  const bytes: number[] = []
  if (isLeaf(node)) {
    bytes.push(0)
    pushNumber(bytes, node.keys.length)
    let before = 0
    for (const [index, key] of node.keys.entries()) {
      pushNumber(bytes, key - before)
      pushNumber(bytes, node.events[index] ?? 0)
      before = key
    }
  } else {
    bytes.push(1)
    pushNumber(bytes, node.bitmap)
    for (const child of node.children) pushNumber(bytes, child)
  }
  return Uint8Array.from(bytes)
}

/** Returns the node that {@link encodeNode} wrote. */
export function decodeNode(bytes: Bytes): TrieNode {
  const numbers = readNumbers(bytes)
  if (bytes[0] === 1) return { bitmap: (numbers[0] ?? 0) >>> 0, children: numbers.slice(1) }
  const keys: Nid[] = []
  const events: Nid[] = []
  let key = 0
  for (let at = 1; at + 1 < numbers.length; at += 2) {
    key += numbers[at] ?? 0
    keys.push(key)
    events.push(numbers[at + 1] ?? 0)
  }
  return { keys, events }
}

/** Returns the name a node is found by: half a SHA-256 of its bytes. */
export function nodeHash(body: Bytes): Bytes {
  return digest('sha256', body, 'buffer').subarray(0, 16)
}

function pushNumber(bytes: number[], value: number): void {
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
}

function readNumbers(bytes: Bytes): number[] {
  const numbers: number[] = []
  let value = 0
  let scale = 1
  for (let at = 1; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    value += (byte & 127) * scale
    scale *= 128
    if (byte < 128) {
      numbers.push(value)
      value = 0
      scale = 1
    }
  }
  return numbers
}

function lowerBound(keys: readonly Nid[], key: Nid): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] ?? 0) < key) low = middle + 1
    else high = middle
  }
  return low
}

function bitCount(bits: number): number {
  let rest = bits >>> 0
  let count = 0
  while (rest !== 0) {
    rest = (rest & (rest - 1)) >>> 0
    count++
  }
  return count
}
