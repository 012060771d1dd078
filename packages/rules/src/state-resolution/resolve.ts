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
 * The one state that several branches of a room come to. It does not depend on the order of the branches.
 *
 * `events` has what conflicts and its auth chains; better also the chains of what does not conflict, for without them
 * the auth difference is larger than it need be. `rejected` events authorize nothing.
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

/** The same for state that somebody has sorted already, as a comparison of tries does. */
function resolveSplit(split: SplitState, resolution: Resolution): Map<StateKey, EventId> {
  const isNew = resolution.version.stateResolution === 'v2.1'
  return resolveConflicted(fullConflictedSet(split, resolution.events, isNew), split.unconflicted, resolution)
}

/**
 * The same once the full conflicted set is known. Of the state that is not in conflict it takes what the events of the
 * set need to be judged; storage knows both without reading a whole room.
 */
export function resolveConflicted(
  conflicted: ReadonlySet<EventId>,
  unconflicted: ReadonlyMap<StateKey, EventId>,
  resolution: Resolution,
): Map<StateKey, EventId> {
  const { version, events } = resolution
  const isNew = version.stateResolution === 'v2.1'

  // 1. Select the power events and what authorizes them, in reverse topological power order.
  const powerEvents = powerOrder(conflicted, resolution)

  // 2. Apply them, since version 2.1 starting from an empty state.
  const state = new Map(isNew ? [] : unconflicted)
  applyAllowed(powerEvents, state, resolution)

  // 3. Order the others by the mainline of the power levels that came out.
  const others = conflicted.difference(new Set(powerEvents))
  const ordered = mainlineOrder(others, state.get(stateKey('m.room.power_levels')), events)

  // 4. Apply them.
  applyAllowed(ordered, state, resolution)

  // 5. What was not in conflict stays.
  for (const [key, id] of unconflicted) state.set(key, id)
  return state
}
