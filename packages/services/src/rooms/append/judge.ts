// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { judgeAuthEvents } from '@myelin/rules/auth/auth-events'
import { AuthState } from '@myelin/rules/auth/auth-state'
import { authorize } from '@myelin/rules/auth/rules/authorize'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { StateKey } from '@myelin/rules/auth/state-key'
import { reject } from '@myelin/rules/auth/verdict'
import type { Verdict } from '@myelin/rules/auth/verdict'
import { createOfRoomId } from '@myelin/rules/events/event-id'
import type { RoomVersion } from '@myelin/rules/room-versions'

/** A stored auth event with its outcome. */
export interface Judged {
  readonly pdu: Pdu
  readonly isRejected: boolean
}

/**
 * Returns whether an event's `auth_events` allow it. A missing or rejected one allows nothing.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export function judgeByAuthEvents(
  event: Pdu,
  version: RoomVersion,
  find: (id: EventId) => Judged | undefined,
): Verdict {
  const named: Pdu[] = []
  for (const id of event.authEvents) {
    const entry = find(id)
    if (!entry) return reject('auth-events.missing')
    if (entry.isRejected) return reject('auth-events.rejected')
    named.push(entry.pdu)
  }
  const wellNamed = judgeAuthEvents(event, named, version)
  if (!wellNamed.allowed) return wellNamed
  const state = new Map<StateKey, Pdu>()
  for (const pdu of named) if (pdu.stateKey !== undefined) state.set(stateKey(pdu.type, pdu.stateKey), pdu)
  // Since room version 12 the room ID is the hash of the create event.
  if (version.roomIds === 'hash of create event' && event.type !== 'm.room.create') {
    const create = find(createOfRoomId(event.roomId))
    if (create && !create.isRejected) state.set(stateKey('m.room.create'), create.pdu)
  }
  return authorize(event, new AuthState(version, state))
}

/**
 * Returns events of one room in topological order, each after those that it names. Events of a cycle, which no valid
 * server makes, come last.
 */
export function inOrder(events: Iterable<Pdu>, parentsOf: (event: Pdu) => readonly EventId[]): Pdu[] {
  const all = new Map<EventId, Pdu>()
  for (const event of events) all.set(event.id, event)
  const waits = new Map<EventId, number>()
  const children = new Map<EventId, Pdu[]>()
  for (const event of all.values()) {
    const parents = new Set(parentsOf(event).filter((id) => all.has(id) && id !== event.id))
    waits.set(event.id, parents.size)
    for (const id of parents) {
      const list = children.get(id)
      if (list) list.push(event)
      else children.set(id, [event])
    }
  }
  const ordered = [...all.values()].filter(({ id }) => waits.get(id) === 0)
  for (let at = 0; at < ordered.length; at++) {
    for (const child of children.get(ordered[at]?.id ?? ('' as EventId)) ?? []) {
      const left = (waits.get(child.id) ?? 1) - 1
      waits.set(child.id, left)
      if (left === 0) ordered.push(child)
    }
  }
  const done = new Set(ordered)
  return [...ordered, ...[...all.values()].filter((event) => !done.has(event))]
}
