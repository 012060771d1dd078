// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import { type StateKey, stateKey } from '../auth/state-key.ts'
import type { RoomVersion } from '../room-versions.ts'
import type { Events } from './auth-chain.ts'
import { fullConflictedSet } from './full-conflicted-set.ts'
import { mainlineOrder } from './mainline.ts'
import { powerOrder } from './power-order.ts'
import { applyAllowed, type Resolution } from './resolution.ts'
import { splitState, type SplitState, type StateSet } from './split.ts'
import { resolveV1 } from './v1.ts'

/**
 * Returns the resolved state of several branches of a room. It does not depend on the order of the branches.
 *
 * `events` has the conflicted events and their auth chains; preferably also the chains of unconflicted events, because
 * without them the auth difference is larger than necessary. `rejected` events authorize nothing.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v12/#state-resolution
 */
export function resolve(
  version: RoomVersion,
  stateSets: readonly StateSet[],
  events: Events,
  rejected: ReadonlySet<EventId> = new Set(),
): Map<StateKey, EventId> {
  const resolution: Resolution = { version, events, rejected }
  if (version.stateResolution === 'v1') return resolveV1(stateSets, resolution)
  const split = splitState(stateSets)
  return split.conflicted.size === 0 ? split.unconflicted : resolveSplit(split, resolution)
}

/** Returns the resolved state of state sets that are split already, as by a comparison of tries. */
function resolveSplit(split: SplitState, resolution: Resolution): Map<StateKey, EventId> {
  const isNew = resolution.version.stateResolution === 'v2.1'
  return resolveConflicted(fullConflictedSet(split, resolution.events, isNew), split.unconflicted, resolution)
}

/**
 * Returns the resolved state for a known full conflicted set. Of the unconflicted state it needs only what the events
 * of the set are judged by; storage knows both without reading a whole room.
 */
export function resolveConflicted(
  conflicted: ReadonlySet<EventId>,
  unconflicted: ReadonlyMap<StateKey, EventId>,
  resolution: Resolution,
): Map<StateKey, EventId> {
  const { version, events } = resolution
  const isNew = version.stateResolution === 'v2.1'

  // 1. Select the power events and their auth events, in reverse topological power order.
  const powerEvents = powerOrder(conflicted, resolution)

  // 2. Apply them, since version 2.1 starting from an empty state.
  const state = new Map(isNew ? [] : unconflicted)
  applyAllowed(powerEvents, state, resolution)

  // 3. Order the others by the mainline of the resolved power levels.
  const others = conflicted.difference(new Set(powerEvents))
  const ordered = mainlineOrder(others, state.get(stateKey('m.room.power_levels')), events)

  // 4. Apply them.
  applyAllowed(ordered, state, resolution)

  // 5. Unconflicted state stays.
  for (const [key, id] of unconflicted) state.set(key, id)
  return state
}
