// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { RoomVersion } from '../room-versions.ts'
import { AuthState } from '../auth/auth-state.ts'
import { authorize } from '../auth/rules/authorize.ts'
import { type StateKey, stateKey } from '../auth/state-key.ts'
import { createOfRoomId } from '../events/event-id.ts'
import type { Events } from './auth-chain.ts'

/** The input of every step of a resolution. */
export interface Resolution {
  readonly version: RoomVersion
  readonly events: Events
  readonly rejected: ReadonlySet<EventId>
}

/** Returns the state formed by an event's own auth events. */
function stateOfAuthEvents(event: Pdu, { version, events, rejected }: Resolution): Map<StateKey, Pdu> {
  const state = new Map<StateKey, Pdu>()
  // Since room version 12 the room ID implies the create event.
  const implied = version.roomIds === 'hash of create event' ? [createOfRoomId(event.roomId)] : []
  for (const id of [...implied, ...event.authEvents]) {
    const entry = events.get(id)
    if (entry?.stateKey !== undefined && !rejected.has(id)) state.set(stateKey(entry.type, entry.stateKey), entry)
  }
  return state
}

/**
 * Returns the power level of an event's sender by its own auth events, including rejected ones, so that the order is
 * the same on servers that rejected different events.
 */
export function powerOfSender(event: Pdu, { version, events }: Resolution): number {
  const state = stateOfAuthEvents(event, { version, events, rejected: new Set() })
  return new AuthState(version, state).powerOf(event.sender)
}

/**
 * Applies events in order where the state so far allows them, and updates `state`.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
export function applyAllowed(ids: readonly EventId[], state: Map<StateKey, EventId>, resolution: Resolution): void {
  const { events, version } = resolution
  for (const id of ids) {
    const event = events.get(id)
    if (event?.stateKey === undefined) continue
    // State that is missing is taken from the event's own auth events.
    const fallback = stateOfAuthEvents(event, resolution)
    const get = (key: StateKey): Pdu | undefined => eventAt(key, state, events) ?? fallback.get(key)
    if (authorize(event, new AuthState(version, { get })).allowed) state.set(stateKey(event.type, event.stateKey), id)
  }
}

function eventAt(key: StateKey, state: ReadonlyMap<StateKey, EventId>, events: Events): Pdu | undefined {
  const id = state.get(key)
  return id === undefined ? undefined : events.get(id)
}
