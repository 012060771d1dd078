// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { StateKey } from '../auth/state-key.ts'
import { ForkedState } from './forked-state.ts'

/** State sets, split into unconflicted and conflicted state. */
export interface SplitState {
  readonly unconflicted: Map<StateKey, EventId>
  /** The distinct events of each conflicted key. */
  readonly conflicted: ReadonlyMap<StateKey, readonly EventId[]>
  /** Each set's own conflicted events. */
  readonly conflictedOf: readonly (readonly EventId[])[]
}

/** State by key. */
export type StateSet = ReadonlyMap<StateKey, EventId>

/**
 * Splits state sets: a key is conflicted unless every set has it with the same event.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function splitState(sets: readonly StateSet[]): SplitState {
  const [first = new Map(), ...others] = sets
  const keys = new Set<StateKey>()
  for (const other of others) addDifferences(first, other, keys)

  const unconflicted = new Map<StateKey, EventId>()
  for (const [key, id] of first) if (!keys.has(key)) unconflicted.set(key, id)

  const conflicted = new Map<StateKey, Set<EventId>>()
  for (const key of keys) conflicted.set(key, new Set())
  const conflictedOf = sets.map((set) => {
    const ids: EventId[] = []
    for (const [key, all] of conflicted) {
      const id = set.get(key)
      if (id === undefined) continue
      ids.push(id)
      all.add(id)
    }
    return ids
  })
  const lists = [...conflicted].map(([key, ids]) => [key, [...ids]] as const)
  return { unconflicted, conflicted: new Map(lists), conflictedOf }
}

function addDifferences(one: StateSet, other: StateSet, into: Set<StateKey>): void {
  if (one === other) return
  const isFork = one instanceof ForkedState && other instanceof ForkedState && one.base === other.base
  if (isFork) {
    for (const key of one.changes.keys()) if (one.get(key) !== other.get(key)) into.add(key)
    for (const key of other.changes.keys()) if (one.get(key) !== other.get(key)) into.add(key)
    return
  }
  let shared = 0
  for (const [key, id] of other) {
    const there = one.get(key)
    if (there !== undefined) shared++
    if (there !== id) into.add(key)
  }
  // The first set needs a pass of its own only where the other lacks a key.
  if (shared < one.size) for (const key of one.keys()) if (!other.has(key)) into.add(key)
}
