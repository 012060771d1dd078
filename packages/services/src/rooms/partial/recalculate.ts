// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import { authorize } from '@myelin/rules/auth/rules/authorize'
import { createOfRoomId } from '@myelin/rules/events/event-id'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Tx } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsById, eventsByNid } from '@myelin/storage/rooms/events/events'
import { stateWithEvent } from '@myelin/storage/rooms/events/outliers'
import {
  lastRecalculated,
  partialEvents,
  pendingPartialEvents,
  putRecalculated,
} from '@myelin/storage/federation/partial-events'
import type { Recalculated } from '@myelin/storage/federation/partial-events'
import { partialRoom } from '@myelin/storage/federation/partial-rooms'
import type { PartialRoom } from '@myelin/storage/federation/partial-rooms'
import { stateEventNid } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { judgeByAuthEvents } from '../append/judge.ts'
import { resolvedRoot, resolvedRootIfCheap } from '../resolution/resolve-roots.ts'
import { isNeed } from '../resolution/unit-needs.ts'
import type { ResolutionNeed } from '../resolution/unit-needs.ts'
import { loadAuthState } from '../../room-state/load-auth-state.ts'

/** A room whose members have been fetched, and the join by which this server entered it. */
export interface Known {
  readonly entered: PartialRoom & { readonly fullRoot: number }
  readonly version: RoomVersion
  readonly join: StoredEvent
}

/** Number of events judged again in one unit. */
const BATCH = 20

/**
 * Computes the states around the next events that arrived during a partial join, and judges the accepted ones anew;
 * those that the members do not allow are rejected. Nothing is visible yet. Returns whether any event was left.
 *
 * An event waits for a predecessor that arrived later; where all remaining events wait, the missing predecessors are
 * ignored.
 */
export async function recalculateSome(tx: Tx, known: Known): Promise<boolean | ResolutionNeed> {
  const { entered } = known
  if ((await partialRoom(tx, entered.roomId))?.join !== entered.join) return false
  const nids = await pendingPartialEvents(tx, entered.room, BATCH)
  const events = await eventsByNid(tx, nids)
  let done = 0
  for (const forces of [false, true]) {
    for (const nid of done > 0 ? [] : nids) {
      const event = events.get(nid)
      const roots = event && (await rootsBefore(tx, known, event, forces))
      if (!event || !roots) continue
      // The states may have been written by this unit: it ends here, so that they are committed when they are
      // resolved.
      const stateBefore =
        done > 0
          ? await resolvedRootIfCheap(tx, known.version, roots)
          : await resolvedRoot(tx, { roomId: entered.roomId, version: known.version }, roots)
      if (stateBefore === undefined) return true
      if (isNeed(stateBefore)) return stateBefore
      await putRecalculated(tx, await recalculated(tx, known, event, stateBefore))
      done++
    }
  }
  return nids.length > 0
}

/** Returns the states after an event's `prev_events`; undefined where one of them is not computed yet. */
async function rootsBefore(
  tx: Tx,
  { entered, join }: Known,
  { nid, pdu }: StoredEvent,
  forces: boolean,
): Promise<readonly number[] | undefined> {
  if (nid === join.nid) return [entered.fullRoot]
  const previous = new Map((await eventsById(tx, pdu.prevEvents)).map((event) => [event.pdu.id, event]))
  const notes = await partialEvents(
    tx,
    [...previous.values()].map((event) => event.nid),
  )
  const roots: number[] = []
  for (const id of new Set(pdu.prevEvents)) {
    const event = previous.get(id)
    const note = event && notes.get(event.nid)
    if (note) roots.push(note.stateAfter)
    else if (event && notes.has(event.nid)) {
      if (!forces) return undefined
    } else if (event && event.stateAfter !== 0) roots.push(event.stateAfter)
    else if (followsAlone(join, id)) roots.push(entered.fullRoot)
  }
  return roots.length > 0 ? roots : [entered.fullRoot]
}

/** Returns whether an event follows only the given one, so that the state after that is the state before it. */
export function followsAlone({ pdu }: StoredEvent, id: EventId): boolean {
  return pdu.prevEvents.length === 1 && pdu.prevEvents[0] === id
}

async function recalculated(tx: Tx, known: Known, event: StoredEvent, stateBefore: number): Promise<Recalculated> {
  const { nid, pdu } = event
  const status = nid === known.join.nid ? event.status : await statusOf(tx, known, event, stateBefore)
  const isRejected = status === EVENT_STATUS.rejected
  const stateAfter = isRejected ? stateBefore : await stateWithEvent(tx, stateBefore, event)
  const replaces = pdu.stateKey === undefined ? undefined : await stateEventNid(tx, stateBefore, pdu.type, pdu.stateKey)
  const roomRoot =
    event.position === null ? 0 : await roomRootWith(tx, known, event, isRejected ? undefined : stateAfter)
  return { nid, stateBefore, stateAfter, roomRoot, replaces, status }
}

async function statusOf(
  tx: Tx,
  { version }: Known,
  { pdu, status }: StoredEvent,
  stateBefore: number,
): Promise<number> {
  if (status !== EVENT_STATUS.accepted) return status
  const create = version.roomIds === 'hash of create event' ? [createOfRoomId(pdu.roomId)] : []
  const named = await eventsById(tx, [...create, ...pdu.authEvents])
  const notes = await partialEvents(
    tx,
    named.map(({ nid }) => nid),
  )
  const byId = new Map(
    named.map((event) => {
      const now = notes.get(event.nid)?.status ?? event.status
      return [event.pdu.id, { pdu: event.pdu, isRejected: now === EVENT_STATUS.rejected }]
    }),
  )
  const { state } = await loadAuthState(tx, stateBefore, pdu, version)
  const isAllowed = judgeByAuthEvents(pdu, version, (id) => byId.get(id)).allowed && authorize(pdu, state).allowed
  return isAllowed ? status : EVENT_STATUS.rejected
}

/** Returns the room's state with an event, resolved with the state before it where the event is a fork. */
async function roomRootWith(
  tx: Tx,
  { entered, version }: Known,
  event: StoredEvent,
  stateAfter: number | undefined,
): Promise<number> {
  const isPlain = stateAfter !== undefined && event.roomRoot === event.stateAfter
  if (isPlain) return stateAfter
  const before = (await lastRecalculated(tx, entered.room))?.roomRoot ?? entered.fullRoot
  return stateAfter === undefined
    ? before
    : ((await resolvedRootIfCheap(tx, version, [before, stateAfter])) ?? stateAfter)
}
