// SPDX-License-Identifier: Apache-2.0
import { compareCodePoints } from '@myelin/matrix/canonical-json'
import type { EventId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { Heap } from './heap.ts'
import { powerOfSender, type Resolution } from './resolution.ts'

/**
 * Returns whether an event is a power event: it may remove another user's ability to act in the room.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v2/#definitions
 */
function isPowerEvent(event: Pdu): boolean {
  switch (event.type) {
    case 'm.room.power_levels':
    case 'm.room.join_rules':
    // Not in the spec's list, but in every server's: only a forged create event conflicts.
    case 'm.room.create':
      return event.stateKey === ''
    case 'm.room.member': {
      const membership = stringMember(event.content, 'membership')
      return (
        event.stateKey !== undefined &&
        event.sender !== event.stateKey &&
        (membership === 'leave' || membership === 'ban')
      )
    }
    default:
      return false
  }
}

/**
 * Returns the power events of the full conflicted set and their auth events in it, in reverse topological power order:
 * the strongest and oldest first, and none before its auth events.
 *
 * Auth chains are followed inside the set only, as in all deployed servers; outside the set nothing is left to decide.
 *
 * @see https://spec.matrix.org/v1.19/rooms/v2/#definitions (reverse topological power ordering)
 */
export function powerOrder(conflicted: ReadonlySet<EventId>, resolution: Resolution): EventId[] {
  const graph = graphOf(conflicted, resolution)
  const waiting = new Map<EventId, number>()
  const dependants = new Map<EventId, EventId[]>()
  const ready = new Heap<Candidate>(compareCandidates)
  for (const [id, auth] of graph) {
    waiting.set(id, auth.length)
    for (const each of auth) {
      const list = dependants.get(each)
      if (list) list.push(id)
      else dependants.set(each, [id])
    }
  }
  const enter = (id: EventId): void => {
    const event = resolution.events.get(id)
    if (event) ready.push({ id, power: powerOfSender(event, resolution), ts: event.originServerTs })
  }
  for (const [id, count] of waiting) if (count === 0) enter(id)

  const order: EventId[] = []
  for (let next = ready.pop(); next; next = ready.pop()) {
    order.push(next.id)
    for (const id of dependants.get(next.id) ?? []) {
      const left = (waiting.get(id) ?? 0) - 1
      waiting.set(id, left)
      if (left === 0) enter(id)
    }
  }
  return order
}

interface Candidate {
  readonly id: EventId
  readonly power: number
  readonly ts: number
}

function compareCandidates(a: Candidate, b: Candidate): number {
  if (a.power !== b.power) return a.power > b.power ? -1 : 1
  return a.ts - b.ts || compareCodePoints(a.id, b.id)
}

/** Returns each participating event with its participating auth events. */
function graphOf(conflicted: ReadonlySet<EventId>, { events }: Resolution): Map<EventId, readonly EventId[]> {
  const graph = new Map<EventId, readonly EventId[]>()
  const open: EventId[] = []
  for (const id of conflicted) {
    const event = events.get(id)
    if (event && isPowerEvent(event)) open.push(id)
  }
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (graph.has(id)) continue
    const auth = [...new Set(events.get(id)?.authEvents.filter((each) => conflicted.has(each)))]
    graph.set(id, auth)
    open.push(...auth)
  }
  return graph
}
