// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import { authChain, type Events } from './auth-chain.ts'
import type { SplitState } from './split.ts'

/**
 * Returns the full conflicted set: the conflicted state, the auth difference, and since version 2.1 the conflicted
 * state subgraph.
 *
 * Missing events are ignored.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#definitions
 */
export function fullConflictedSet(split: SplitState, events: Events, withSubgraph: boolean): Set<EventId> {
  const state = new Set<EventId>()
  for (const ids of split.conflicted.values()) for (const id of ids) if (events.has(id)) state.add(id)
  const subgraph = withSubgraph ? conflictedSubgraph(state, events) : state
  return state.union(subgraph).union(authDifference(split, events))
}

/**
 * Returns the auth difference: the events in some auth chains of the state sets and not in all.
 *
 * The auth chains of unconflicted events are in every set's chain, so walks may end there: with many branches of a
 * large room each of them is short.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function authDifference(split: SplitState, events: Events): Set<EventId> {
  const ofAll = authChain(split.unconflicted.values(), events)
  const counts = new Map<EventId, number>()
  for (const ids of split.conflictedOf) {
    for (const id of authChain(ids, events, (next) => ofAll.has(next))) counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  const difference = new Set<EventId>()
  for (const [id, count] of counts) if (count < split.conflictedOf.length) difference.add(id)
  return difference
}

/**
 * Returns the conflicted state subgraph: all events on paths of auth events between two conflicted ones.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#definitions
 */
export function conflictedSubgraph(conflicted: ReadonlySet<EventId>, events: Events): Set<EventId> {
  const below = authChain(conflicted, events).union(conflicted)
  const leadingTo = new Map<EventId, EventId[]>()
  for (const id of below) {
    for (const next of events.get(id)?.authEvents ?? []) {
      const list = leadingTo.get(next)
      if (list) list.push(id)
      else leadingTo.set(next, [id])
    }
  }
  const subgraph = new Set(conflicted)
  const open = [...conflicted]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const next of leadingTo.get(id) ?? []) {
      if (subgraph.has(next)) continue
      subgraph.add(next)
      open.push(next)
    }
  }
  return subgraph
}
