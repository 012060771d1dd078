// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import { inChunks } from '../../engine/database.ts'
import type { Read, Tx } from '../../engine/database.ts'
import { insertRow, insertRows, prepared } from '../../engine/prepared.ts'
import type { Bytes, Nid, Tables } from '../../schema/schema.ts'
import type { StateChange } from '../../schema/state-change.ts'
import {
  childAt,
  decodeNode,
  EMPTY_STATE,
  encodeNode,
  entryOf,
  FANOUT,
  isLeaf,
  nodeHash,
  slotOf,
  withChild,
  withEntry,
} from '../../schema/state-trie.ts'
import type { Leaf, TrieNode } from '../../schema/state-trie.ts'

/** One key in which two states differ. */
export interface StateDifference {
  readonly key: Nid
  readonly before: Nid | undefined
  readonly after: Nid | undefined
}

// The estimated cost of a node with its entries.
const NODE_COST_US = 5

const EMPTY_LEAF: Leaf = { keys: [], events: [] }

/** Returns the event that holds a key in the state with this root. Reads O(log32 N) nodes, which are kept for ever. */
export async function stateAt(db: Read, root: Nid, key: Nid): Promise<Nid | undefined> {
  let nid = root
  for (let depth = 0; nid !== EMPTY_STATE; depth++) {
    // Without a promise where it is in memory: every send asks for several.
    const node: TrieNode = db.caches.stateNodes.get(nid) ?? (await loadNode(db, nid))
    if (isLeaf(node)) return entryOf(node, key)
    nid = childAt(node, slotOf(key, depth))
  }
  return undefined
}

/** Returns the event that holds a key in each of these states, by the state's root; where nothing does, the state is left out. */
export async function statesAt(db: Read, roots: Iterable<Nid>, key: Nid): Promise<Map<Nid, Nid>> {
  const events = new Map<Nid, Nid>()
  for (const root of new Set(roots)) {
    let nid = root
    for (let depth = 0; nid !== EMPTY_STATE; depth++) {
      const node: TrieNode = db.caches.stateNodes.get(nid) ?? (await loadNode(db, nid))
      if (!isLeaf(node)) {
        nid = childAt(node, slotOf(key, depth))
        continue
      }
      const event = entryOf(node, key)
      if (event !== undefined) events.set(root, event)
      break
    }
    const pausing = step(NODE_COST_US)
    if (pausing) await pausing
  }
  return events
}

/** Returns the root of the state with these changes applied. Writes O(log32 N) nodes a change, and each node once. */
export async function changeState(tx: Tx, root: Nid, changes: readonly StateChange[]): Promise<Nid> {
  return changes.length === 0 ? root : changeNode(tx, root, changes, 0)
}

/** Returns the same changes in the order of the nodes they are in, so that a part of them after the other writes few nodes twice. */
export function inTrieOrder(changes: readonly StateChange[]): StateChange[] {
  const parts = new Map<number, StateChange[]>()
  for (const change of changes) {
    const part = slotOf(change.key, 0) * FANOUT + slotOf(change.key, 1)
    const list = parts.get(part)
    if (list) list.push(change)
    else parts.set(part, [change])
  }
  return [...parts].sort(([a], [b]) => a - b).flatMap(([, list]) => list)
}

/** Returns the root of the state that has just these entries; its nodes are written once, from the leaves up, level by level. */
export async function buildState(tx: Tx, entries: ReadonlyMap<Nid, Nid>): Promise<Nid> {
  if (entries.size === 0) return EMPTY_STATE
  const sorted = [...entries].sort(([a], [b]) => a - b)
  const top = splitLeaf({ keys: sorted.map(([key]) => key), events: sorted.map(([, event]) => event) }, 0)
  const levels = [[top]]
  for (let level = [top]; level.length > 0; levels.push(level)) {
    level = level.flatMap((part) => ('slots' in part ? [...part.slots.values()] : []))
  }
  const nids = new Map<StatePart, Nid>()
  for (const level of levels.toReversed()) {
    const nodes = level.map((part) => nodeOf(part, nids))
    for (const [index, nid] of (await putNodes(tx, nodes)).entries()) nids.set(level[index] ?? top, nid)
  }
  return nids.get(top) ?? EMPTY_STATE
}

/** A state, or a part of one, before it is written. */
type StatePart = Leaf | { readonly slots: ReadonlyMap<number, StatePart> }

function splitLeaf(leaf: Leaf, depth: number): StatePart {
  if (leaf.keys.length <= FANOUT) return leaf
  return { slots: new Map([...slotsOf(leaf, depth)].map(([slot, part]) => [slot, splitLeaf(part, depth + 1)])) }
}

function nodeOf(part: StatePart, nids: ReadonlyMap<StatePart, Nid>): TrieNode {
  if (!('slots' in part)) return part
  let branch = { bitmap: 0, children: [] as readonly Nid[] }
  for (const [slot, child] of part.slots) branch = withChild(branch, slot, nids.get(child) ?? EMPTY_STATE)
  return branch
}

async function changeNode(tx: Tx, nid: Nid, changes: readonly StateChange[], depth: number): Promise<Nid> {
  const node = nid === EMPTY_STATE ? EMPTY_LEAF : await loadNode(tx, nid)
  if (isLeaf(node)) {
    let leaf = node
    for (const { key, event } of changes) leaf = withEntry(leaf, key, event)
    return putLeaf(tx, leaf, depth)
  }
  let branch = node
  for (const [slot, part] of Map.groupBy(changes, ({ key }) => slotOf(key, depth))) {
    const before = childAt(node, slot)
    const after = await changeNode(tx, before, part, depth + 1)
    if (after !== before) branch = withChild(branch, slot, after)
  }
  if (branch === node) return nid
  if (branch.children.length === 0) return EMPTY_STATE
  const isSmaller = changes.some(({ event }) => event === undefined)
  const merged = isSmaller ? await mergedLeaf(tx, branch.children) : undefined
  return putNode(tx, merged ?? branch)
}

/** Returns the children of a branch as one leaf, if they fit into one. Equal states must have equal roots. */
async function mergedLeaf(tx: Tx, children: readonly Nid[]): Promise<Leaf | undefined> {
  let leaf = EMPTY_LEAF
  for (const child of children) {
    const node = await loadNode(tx, child)
    if (!isLeaf(node) || leaf.keys.length + node.keys.length > FANOUT) return undefined
    for (const [index, key] of node.keys.entries()) leaf = withEntry(leaf, key, node.events[index])
  }
  return leaf
}

async function putLeaf(tx: Tx, leaf: Leaf, depth: number): Promise<Nid> {
  if (leaf.keys.length === 0) return EMPTY_STATE
  if (leaf.keys.length <= FANOUT) return putNode(tx, leaf)
  let branch = { bitmap: 0, children: [] as readonly Nid[] }
  for (const [slot, part] of slotsOf(leaf, depth)) branch = withChild(branch, slot, await putLeaf(tx, part, depth + 1))
  return putNode(tx, branch)
}

/** Returns a leaf's entries by the slot of a branch at this depth. */
function slotsOf(leaf: Leaf, depth: number): Map<number, Leaf> {
  const slots = new Map<number, { keys: Nid[]; events: Nid[] }>()
  for (const [index, key] of leaf.keys.entries()) {
    const slot = slotOf(key, depth)
    const part = slots.get(slot) ?? { keys: [], events: [] }
    part.keys.push(key)
    part.events.push(leaf.events[index] ?? 0)
    slots.set(slot, part)
  }
  return slots
}

/** Returns the numbers of nodes, in their order, and writes new nodes together. */
async function putNodes(tx: Tx, nodes: readonly TrieNode[]): Promise<Nid[]> {
  const drafts = nodes.map((node) => {
    const body = encodeNode(node)
    const hash = nodeHash(body)
    return { node, body, hash, name: Buffer.from(hash).toString('hex') }
  })
  const rows = await inChunks(drafts, (chunk) =>
    tx
      .selectFrom('state_nodes')
      .select(['node_nid', 'hash'])
      .where(
        'hash',
        'in',
        chunk.map(({ hash }) => hash),
      )
      .execute(),
  )
  const nids = new Map(rows.map((row) => [Buffer.from(row.hash).toString('hex'), row.node_nid]))
  const fresh: Tables['state_nodes'][] = []
  for (const { node, body, hash, name } of drafts) {
    if (nids.has(name)) continue
    const nid = tx.takeNid()
    nids.set(name, nid)
    fresh.push({ node_nid: nid, hash, body })
    tx.caches.stateNodes.set(nid, node)
  }
  await insertRows(tx, 'state_nodes', fresh)
  return drafts.map(({ name }) => nids.get(name) ?? EMPTY_STATE)
}

async function putNode(tx: Tx, node: TrieNode): Promise<Nid> {
  const body = encodeNode(node)
  const hash = nodeHash(body)
  const [known] = await nodeByHash(tx, hash)
  if (known) return known.node_nid
  const nid = tx.takeNid()
  await insertRow(tx, 'state_nodes', { node_nid: nid, hash, body })
  tx.caches.stateNodes.set(nid, node)
  return nid
}

const nodeByHash = prepared((db, hash: Bytes) =>
  db.selectFrom('state_nodes').select('node_nid').where('hash', '=', hash),
)

async function loadNode(db: Read, nid: Nid): Promise<TrieNode> {
  const kept = db.caches.stateNodes.get(nid)
  if (kept) return kept
  const [node] = await loadNodes(db, [nid])
  if (!node) throw new Error(`state node ${nid} is missing`)
  return node
}

async function loadNodes(db: Read, nids: readonly Nid[]): Promise<TrieNode[]> {
  const found = new Map<Nid, TrieNode>()
  const missing = nids.filter((nid) => {
    const kept = db.caches.stateNodes.get(nid)
    if (kept) found.set(nid, kept)
    return !kept
  })
  const rows = await inChunks(missing, (chunk) =>
    db.selectFrom('state_nodes').select(['node_nid', 'body']).where('node_nid', 'in', chunk).execute(),
  )
  for (const row of rows) {
    const node = decodeNode(row.body)
    found.set(row.node_nid, node)
    db.caches.stateNodes.set(row.node_nid, node)
    const pausing = step(NODE_COST_US)
    if (pausing) await pausing
  }
  return nids.map((nid) => {
    const node = found.get(nid)
    if (!node) throw new Error(`state node ${nid} is missing`)
    return node
  })
}

/** Returns every key of a state and the event that holds it, level by level. */
export async function wholeState(db: Read, root: Nid): Promise<Map<Nid, Nid>> {
  const entries = new Map<Nid, Nid>()
  let level: readonly Nid[] = root === EMPTY_STATE ? [] : [root]
  while (level.length > 0) {
    const next: Nid[] = []
    for (const node of await loadNodes(db, level)) {
      if (!isLeaf(node)) next.push(...node.children)
      else node.keys.forEach((key, index) => entries.set(key, node.events[index] ?? 0))
      const pausing = step(NODE_COST_US)
      if (pausing) await pausing
    }
    level = next
  }
  return entries
}

/** Returns the keys in which two states differ; subtrees they share are never read. */
export async function stateDifference(db: Read, before: Nid, after: Nid): Promise<StateDifference[]> {
  const differences: StateDifference[] = []
  if (before === after) return differences
  const pairs: { before: Nid; after: Nid }[] = [{ before, after }]
  for (let pair = pairs.pop(); pair; pair = pairs.pop()) {
    const a = pair.before === EMPTY_STATE ? EMPTY_LEAF : await loadNode(db, pair.before)
    const b = pair.after === EMPTY_STATE ? EMPTY_LEAF : await loadNode(db, pair.after)
    if (!isLeaf(a) && !isLeaf(b)) {
      for (let slot = 0; slot < FANOUT; slot++) {
        const child = { before: childAt(a, slot), after: childAt(b, slot) }
        if (child.before !== child.after) pairs.push(child)
      }
      continue
    }
    const left = isLeaf(a) ? a : leafOf(await wholeState(db, pair.before))
    const right = isLeaf(b) ? b : leafOf(await wholeState(db, pair.after))
    pushDifferences(differences, left, right)
  }
  return differences
}

/** Goes through two leaves side by side, for the keys of both ascend. */
function pushDifferences(differences: StateDifference[], left: Leaf, right: Leaf): void {
  for (let [l, r] = [0, 0]; l < left.keys.length || r < right.keys.length; ) {
    const key = Math.min(left.keys[l] ?? Infinity, right.keys[r] ?? Infinity)
    const before = left.keys[l] === key ? left.events[l++] : undefined
    const after = right.keys[r] === key ? right.events[r++] : undefined
    if (before !== after) differences.push({ key, before, after })
  }
}

function leafOf(entries: ReadonlyMap<Nid, Nid>): Leaf {
  const keys = [...entries.keys()].sort((a, b) => a - b)
  return { keys, events: keys.map((key) => entries.get(key) ?? 0) }
}
