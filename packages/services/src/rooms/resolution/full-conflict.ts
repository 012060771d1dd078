// SPDX-License-Identifier: Apache-2.0
import { authChainOf, authEdges } from '@myelin/storage/rooms/events/auth-edges'
import type { Read } from '@myelin/storage/engine/database'
import { wholeState } from '@myelin/storage/rooms/state/state'
import type { Branches } from './branches.ts'

/** The numbers of the conflicting events and of their auth chains: the graph that a resolution walks. */
export interface AuthGraph {
  readonly conflicted: ReadonlySet<number>
  /** Their auth chains. */
  readonly chain: ReadonlySet<number>
  readonly edges: ReadonlyMap<number, readonly number[]>
}

/** Reads the auth graph of conflicting events, as numbers only. */
export async function authGraphOf(db: Read, conflicted: ReadonlySet<number>): Promise<AuthGraph> {
  const chain = await authChainOf(db, conflicted)
  return { conflicted, chain, edges: await authEdges(db, [...chain.union(conflicted)]) }
}

/**
 * Returns the full conflicted set: the conflicting events, the auth difference, and since version 2.1 the conflicted
 * state subgraph.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#definitions
 */
export async function fullConflict(
  db: Read,
  root: number,
  branches: Branches,
  graph: AuthGraph,
  withSubgraph: boolean,
): Promise<Set<number>> {
  const full = new Set(graph.conflicted)
  if (withSubgraph) for (const nid of subgraphOf(graph)) full.add(nid)
  for (const nid of await authDifference(db, root, branches, graph)) full.add(nid)
  return full
}

/** Returns all events on paths of auth events between two conflicting events. */
function subgraphOf({ conflicted, edges }: AuthGraph): Set<number> {
  const leadingTo = new Map<number, number[]>()
  for (const [nid, list] of edges) {
    for (const next of list) {
      const sources = leadingTo.get(next)
      if (sources) sources.push(nid)
      else leadingTo.set(next, [nid])
    }
  }
  const subgraph = new Set(conflicted)
  const open = [...conflicted]
  for (let nid = open.pop(); nid !== undefined; nid = open.pop()) {
    for (const source of leadingTo.get(nid) ?? []) {
      if (subgraph.has(source)) continue
      subgraph.add(source)
      open.push(source)
    }
  }
  return subgraph
}

/**
 * Returns the auth difference: the events in the auth chains of some branches and not of all. The auth chain of the
 * unconflicted state is in all branches; whether a candidate belongs to it is only read where there is a candidate
 * that does not conflict.
 */
async function authDifference(
  db: Read,
  root: number,
  branches: Branches,
  { conflicted, chain, edges }: AuthGraph,
): Promise<Set<number>> {
  const counts = chainCounts(branches, edges)
  const candidates = new Set<number>()
  for (const nid of chain) {
    if (!conflicted.has(nid) && counts.get(nid) !== branches.changes.length) candidates.add(nid)
  }
  if (candidates.size === 0) return candidates
  const state = await wholeState(db, root)
  const undisputed = [...state].flatMap(([key, event]) => (branches.keys.has(key) ? [] : [event]))
  return candidates.difference(await authChainOf(db, undisputed, { wanted: candidates }))
}

/** Returns in how many branches' auth chains each event is, as far as conflicting events lead to it. */
function chainCounts(
  { keys, base, changes }: Branches,
  edges: ReadonlyMap<number, readonly number[]>,
): Map<number, number> {
  const nids = [...edges.keys()]
  const places = new Map(nids.map((nid, at) => [nid, at]))
  const placesOf = (list: readonly number[]) => list.flatMap((nid) => places.get(nid) ?? [])
  const lists = nids.map((nid) => placesOf(edges.get(nid) ?? []))
  const [counts, visits] = [new Uint32Array(nids.length), new Uint32Array(nids.length)]
  for (const [branch, own] of changes.entries()) {
    const open: number[] = []
    for (const key of keys.keys()) {
      const place = places.get((own.has(key) ? own.get(key) : base.get(key)) ?? 0)
      if (place !== undefined) open.push(place)
    }
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const next of lists[at] ?? []) {
        if (visits[next] === branch + 1) continue
        visits[next] = branch + 1
        counts[next] = (counts[next] ?? 0) + 1
        open.push(next)
      }
    }
  }
  return new Map(nids.map((nid, at) => [nid, counts[at] ?? 0]))
}
