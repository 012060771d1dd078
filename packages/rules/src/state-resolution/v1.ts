// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { AuthState } from '../auth/auth-state.ts'
import { authorize } from '../auth/rules/authorize.ts'
import { splitStateKey, type StateKey } from '../auth/state-key.ts'
import type { Resolution } from './resolution.ts'
import type { StateSet } from './split.ts'

/**
 * Resolves state as in room version 1. Deterministic, and known for state resets; such rooms should be upgraded.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v1/#state-resolution
 */
export function resolveV1(sets: readonly StateSet[], resolution: Resolution): Map<StateKey, EventId> {
  const { resolved, conflicts } = split(sets)
  const { events } = resolution
  const inTurn = (type: string | undefined, choose: typeof chooseAuth): void => {
    const chosen: [StateKey, EventId][] = []
    for (const [key, ids] of conflicts) {
      if (type !== undefined && splitStateKey(key)[0] !== type) continue
      const candidates = [...ids].map((id) => events.get(id)).filter((event) => event !== undefined)
      const winner = choose(oldestFirst(candidates), key, resolved, resolution)
      if (winner !== undefined) chosen.push([key, winner])
      conflicts.delete(key)
    }
    // Events of one round do not see each other.
    for (const [key, id] of chosen) resolved.set(key, id)
  }
  inTurn('m.room.power_levels', chooseAuth)
  inTurn('m.room.join_rules', chooseAuth)
  inTurn('m.room.member', chooseAuth)
  inTurn(undefined, chooseOther)
  return resolved
}

/** Splits state sets; in version 1 a key that only some sets have is no conflict. */
function split(sets: readonly StateSet[]): {
  resolved: Map<StateKey, EventId>
  conflicts: Map<StateKey, Set<EventId>>
} {
  const resolved = new Map<StateKey, EventId>()
  const conflicts = new Map<StateKey, Set<EventId>>()
  for (const set of new Set(sets)) {
    for (const [key, id] of set) {
      const earlier = resolved.get(key)
      if (earlier === undefined) resolved.set(key, id)
      else if (earlier !== id) conflicts.set(key, (conflicts.get(key) ?? new Set([earlier])).add(id))
    }
  }
  for (const key of conflicts.keys()) resolved.delete(key)
  return { resolved, conflicts }
}

/** Returns the last of a row of events each of which the one before allows; the first refusal ends the row. */
function chooseAuth(
  row: readonly Pdu[],
  key: StateKey,
  resolved: StateSet,
  resolution: Resolution,
): EventId | undefined {
  let [current, ...later] = row
  for (const event of later) {
    if (!isAllowed(event, key, current, resolved, resolution)) break
    current = event
  }
  return current?.id
}

/** Returns the deepest allowed event, or the shallowest where none is allowed. */
function chooseOther(
  row: readonly Pdu[],
  key: StateKey,
  resolved: StateSet,
  resolution: Resolution,
): EventId | undefined {
  const allowed = row.findLast((event) => isAllowed(event, key, undefined, resolved, resolution))
  return (allowed ?? row[0])?.id
}

function isAllowed(
  event: Pdu,
  key: StateKey,
  current: Pdu | undefined,
  resolved: StateSet,
  resolution: Resolution,
): boolean {
  const get = (wanted: StateKey): Pdu | undefined => {
    if (wanted === key && current) return current
    const id = resolved.get(wanted)
    return id === undefined ? undefined : resolution.events.get(id)
  }
  return authorize(event, new AuthState(resolution.version, { get })).allowed
}

/** Sorts by ascending depth, then descending SHA-1 of the event ID. */
function oldestFirst(events: readonly Pdu[]): Pdu[] {
  const keyed = events.map((event) => ({ event, hash: createHash('sha1').update(event.id).digest('hex') }))
  keyed.sort((a, b) => a.event.depth - b.event.depth || (a.hash < b.hash ? 1 : -1))
  return keyed.map(({ event }) => event)
}
