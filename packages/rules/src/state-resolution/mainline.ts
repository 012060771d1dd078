// SPDX-License-Identifier: Apache-2.0
import { compareCodePoints } from '@myelin/matrix/canonical-json'
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Events } from './auth-chain.ts'

/**
 * Returns events in mainline order: by the position of their power levels in the mainline, the furthest back first,
 * then by age, then by ID.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v2/#definitions (mainline ordering)
 */
export function mainlineOrder(ids: Iterable<EventId>, powerLevels: EventId | undefined, events: Events): EventId[] {
  const positions = mainlineOf(powerLevels, events)
  const placed: { readonly id: EventId; readonly position: number; readonly ts: number }[] = []
  for (const id of ids) {
    const event = events.get(id)
    if (event) placed.push({ id, position: positionOf(event, positions, events), ts: event.originServerTs })
  }
  placed.sort((a, b) => {
    if (a.position !== b.position) return a.position > b.position ? -1 : 1
    return a.ts - b.ts || compareCodePoints(a.id, b.id)
  })
  return placed.map(({ id }) => id)
}

/** Returns the position of each power levels event in the mainline, 0 being the newest. */
function mainlineOf(powerLevels: EventId | undefined, events: Events): Map<EventId, number> {
  const positions = new Map<EventId, number>()
  // Event IDs of room versions 1 and 2 can be forged into a cycle, so a second visit ends the walk.
  for (let id = powerLevels; id !== undefined && !positions.has(id); id = powerLevelsBehind(id, events)) {
    positions.set(id, positions.size)
  }
  return positions
}

/**
 * Returns the position of the first mainline event in this event's power levels chain; caches it for all power levels
 * events on the way.
 */
function positionOf(event: Pdu, positions: Map<EventId, number>, events: Events): number {
  const passed = new Set<EventId>()
  let id = powerLevelsOf(event, events)
  while (id !== undefined && !positions.has(id) && !passed.has(id)) {
    passed.add(id)
    id = powerLevelsBehind(id, events)
  }
  const position = id === undefined ? Infinity : (positions.get(id) ?? Infinity)
  for (const each of passed) positions.set(each, position)
  return position
}

function powerLevelsBehind(id: EventId, events: Events): EventId | undefined {
  const event = events.get(id)
  return event && powerLevelsOf(event, events)
}

function powerLevelsOf(event: Pdu, events: Events): EventId | undefined {
  return event.authEvents.find((id) => {
    const entry = events.get(id)
    return entry?.type === 'm.room.power_levels' && entry.stateKey === ''
  })
}
