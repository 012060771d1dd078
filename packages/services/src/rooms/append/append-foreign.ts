// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { AuthState } from '@myelin/rules/auth/auth-state'
import { createOfRoomId } from '@myelin/rules/events/event-id'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { appendEvent } from '@myelin/storage/rooms/append/append-event'
import type { Tx } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsById, eventsByNid } from '@myelin/storage/rooms/events/events'
import { removeForwardExtremities, updateForwardExtremities } from '@myelin/storage/rooms/forward-extremities'
import type { ForwardExtremities } from '@myelin/storage/rooms/forward-extremities'
import { firstOfRoom } from '@myelin/storage/rooms/events/history-positions'
import { putHighlights } from '@myelin/storage/sync/highlights'
import {
  putBackwardExtremities,
  putHistoricEvent,
  putOutlier,
  stateWithEvent,
  takeBackwardExtremity,
} from '@myelin/storage/rooms/events/outliers'
import { putPartialEvent } from '@myelin/storage/federation/partial-events'
import { stateEventNid } from '@myelin/storage/rooms/rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { loadAuthState } from '../../room-state/load-auth-state.ts'
import { provisionalRoots, withNamedMembers } from './provisional.ts'
import { judgeNotification } from './notification.ts'
import { applyEarlyRedactions, applyRedaction } from './redact.ts'
import { applyEarlierRemoval, applyRemoval } from './redact-removed.ts'
import { relationOf } from './relation.ts'
import { recordSticky } from './record-sticky.ts'
import { outcomeOf } from './checks.ts'
import type { Incoming } from './incoming.ts'
import { storeStrippedState } from './store-stripped-state.ts'
import { resolvedRoot, resolvedRootIfCheap } from '../resolution/resolve-roots.ts'
import { ResolutionNeed } from '../resolution/unit-needs.ts'

/**
 * The outcome of an event: `waits` means that its `prev_events` must be fetched first, `lacks` that some of its
 * `auth_events` are unavailable. Their absence proves nothing about the event, because its sender may withhold them:
 * the event is dropped, and judged when it arrives together with them.
 */
export type PduOutcome = 'appended' | 'known' | 'soft-failed' | 'rejected' | 'waits' | 'lacks'

/**
 * Judges an event of another server with the last four checks of the spec's list and appends it. Nothing is fetched
 * from here on.
 *
 * Returns a need, having written nothing, where states must be resolved first.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export async function appendForeign(tx: Tx, room: OpenRoom, incoming: Incoming): Promise<PduOutcome | ResolutionNeed> {
  const { pdu, version } = incoming
  const around = await eventsAround(tx, incoming)
  const earlier = around.get(pdu.id)
  if (earlier && (earlier.position !== null || earlier.status !== EVENT_STATUS.accepted)) return 'known'
  if (pdu.prevEvents.length === 0) return appendCreate(tx, room, incoming, earlier)
  const previous = [...new Set(pdu.prevEvents)].flatMap((id) => around.get(id) ?? [])
  const isComplete = previous.filter(({ stateAfter }) => stateAfter !== 0).length === new Set(pdu.prevEvents).size
  // History may begin with an event whose state before it was fetched and whose `prev_events` were not.
  const isBeginning = !isComplete && incoming.historicPosition !== undefined && (earlier?.stateAfter ?? 0) !== 0
  const provisional = await provisionalRoots(tx, room, previous, incoming.historicPosition !== undefined)
  if (!isComplete && !isBeginning && !(provisional && incoming.isAdrift)) return 'waits'
  if (!pdu.authEvents.every((id) => around.has(id))) return 'lacks'
  const roots =
    provisional ?? (isBeginning ? [earlier?.stateBefore ?? 0] : previous.map(({ stateAfter }) => stateAfter))
  const merged = await resolvedRoot(tx, { roomId: room.id, version }, roots)
  if (merged instanceof ResolutionNeed) return merged
  const named = pdu.authEvents.flatMap((id) => around.get(id) ?? [])
  const stateBefore = provisional ? await withNamedMembers(tx, merged, named) : merged
  return judgeIn(tx, room, incoming, {
    around,
    previous,
    earlier,
    stateBefore,
    isProvisional: provisional !== undefined,
  })
}

/** Judges an event by the state before it, and stores it with that outcome. */
async function judgeIn(
  tx: Tx,
  room: OpenRoom,
  incoming: Incoming,
  { around, previous, earlier, stateBefore, isProvisional }: Surroundings,
): Promise<PduOutcome> {
  const { pdu } = incoming
  const row = { room: room.nid, nid: earlier?.nid ?? tx.takeNid(), isKept: earlier !== undefined, stateBefore }
  const outcome = await outcomeOf({ tx, room, incoming, around, previous, isProvisional, nid: row.nid, stateBefore })
  if (outcome === 'rejected') {
    await putOutlier(tx, pdu, { ...row, status: 'rejected', stateAfter: stateBefore })
  } else if (outcome === 'soft-failed') {
    const stateAfter = await stateWithEvent(tx, stateBefore, { nid: row.nid, pdu })
    await putOutlier(tx, pdu, { ...row, status: 'softFailed', stateAfter, roomRoot: room.stateRoot })
    await applyEarlierRemoval(tx, room, pdu, row.nid)
    if (!incoming.isUnwanted) await recordSticky(tx, room, { ...incoming, nid: row.nid })
  } else await land(tx, room, incoming, { ...row, previous })
  if (isProvisional) await putPartialEvent(tx, room.nid, row.nid)
  return outcome
}

/** The stored event, the stored events that it names, and the state before it. */
type Surroundings = {
  readonly around: ReadonlyMap<EventId, StoredEvent>
  readonly previous: readonly StoredEvent[]
  readonly earlier: StoredEvent | undefined
  readonly stateBefore: number
  /**
   * The room is partially joined: the event is judged again when the members are known, and is not soft-failed until
   * then.
   */
  readonly isProvisional: boolean
}

/**
 * Appends the create event where it is the one of the current state and arrives as history; any other create event is
 * rejected.
 */
async function appendCreate(
  tx: Tx,
  room: OpenRoom,
  incoming: Incoming,
  earlier: StoredEvent | undefined,
): Promise<PduOutcome> {
  const create = await stateEventNid(tx, room.stateRoot, 'm.room.create', '')
  if (!earlier || earlier.nid !== create || incoming.historicPosition === undefined) return 'rejected'
  await land(tx, room, incoming, { room: room.nid, nid: earlier.nid, isKept: true, stateBefore: 0, previous: [] })
  return 'appended'
}

/**
 * Returns the event itself where it is stored, the stored events that it names, and the create event where the room ID
 * is its hash.
 */
async function eventsAround(tx: Tx, { pdu, version }: Incoming): Promise<Map<EventId, StoredEvent>> {
  const create = version.roomIds === 'hash of create event' ? [createOfRoomId(pdu.roomId)] : []
  const events = await eventsById(tx, [pdu.id, ...create, ...pdu.prevEvents, ...pdu.authEvents])
  return new Map(events.map((event) => [event.pdu.id, event]))
}

type Ground = {
  readonly room: number
  readonly nid: number
  readonly isKept: boolean
  readonly stateBefore: number
  readonly previous: readonly StoredEvent[]
}

async function land(tx: Tx, room: OpenRoom, incoming: Incoming, ground: Ground): Promise<void> {
  const { pdu, version, historicPosition } = incoming
  const { stateBefore, previous, ...row } = ground
  const place = { ...row, stateBefore, stateAfter: await stateWithEvent(tx, stateBefore, { nid: row.nid, pdu }) }
  const { state } = await loadAuthState(tx, stateBefore, pdu, version)
  const relation = await relationOf(tx, pdu)
  const wasMissing = await takeBackwardExtremity(tx, room.nid, pdu.id)
  let landedAt = historicPosition
  if (historicPosition !== undefined) {
    await putHistoricEvent(tx, pdu, { ...place, ...relation, notifies: 'no', position: historicPosition })
    await removeForwardExtremities(tx, room.id, await coveredBy(tx, pdu))
    await applyEarlierRemoval(tx, room, pdu, row.nid)
  } else {
    const notification = judgeNotification(pdu, state)
    const { transaction } = incoming
    const facts = { notifies: notification.notifies, ...relation, ...(transaction ? { transaction } : {}) }
    // A missing event that arrives has successors, so it is no forward extremity; nor are its `prev_events`.
    const own = wasMissing ? {} : { added: row.nid }
    const extremities = await updateForwardExtremities(tx, room, { covered: await coveredBy(tx, pdu), ...own })
    const isFork = !wasMissing && extremities.count > 1
    // State resolution reads the events of a fork.
    if (isFork) await putOutlier(tx, pdu, { ...place, status: 'accepted' })
    const isUnmoved = wasMissing && extremities.count === room.extremityCount
    const now = isUnmoved
      ? { roomRoot: room.stateRoot, isUnsettled: room.isUnsettled }
      : await rootOfExtremities(tx, version, room, { extremities, ...own, stateAfter: place.stateAfter })
    const graph = { extremityNids: extremities.listed, extremityCount: extremities.count, ...now }
    const isKept = place.isKept || isFork
    const { position } = await appendEvent(tx, room, pdu, facts, { ...place, isKept, ...graph })
    await putHighlights(tx, room, notification.highlights, position)
    await storeStrippedState(tx, room, pdu, row.nid)
    landedAt = position
  }
  await recordSticky(tx, room, { ...incoming, nid: row.nid, position: landedAt ?? 0 })
  await settleReferences(tx, room, { pdu, nid: row.nid, state, previous, position: landedAt ?? 0 })
}

/**
 * Applies redactions in both directions, and the event's relation: the event may have been redacted before it arrived,
 * or redact a stored event.
 */
async function settleReferences(
  tx: Tx,
  room: OpenRoom,
  landed: {
    readonly pdu: Pdu
    readonly nid: number
    readonly state: AuthState
    readonly previous: readonly StoredEvent[]
    readonly position: number
  },
): Promise<void> {
  const { pdu, nid, state, previous } = landed
  await applyRedaction(tx, pdu, nid, state)
  await applyRemoval(tx, { event: pdu, nid, position: landed.position }, state)
  await applyEarlyRedactions(tx, pdu, nid)
  const isThere = new Set(
    previous.flatMap((event) =>
      event.position === null && event.status === EVENT_STATUS.accepted ? [] : [event.pdu.id],
    ),
  )
  const gaps = pdu.prevEvents.filter((id) => !isThere.has(id))
  if (gaps.length > 0) await putBackwardExtremities(tx, room.nid, gaps, await positionOfGap(tx, room, landed))
}

/**
 * Returns the position of the gap before an event. Events from before this server's join are older than all stored events, so
 * the gap before them is at the first event.
 */
async function positionOfGap(
  tx: Tx,
  room: OpenRoom,
  { pdu, position }: { readonly pdu: Pdu; readonly position: number },
): Promise<number> {
  const first = await firstOfRoom(tx, room.nid)
  return first && position > first.position && pdu.depth < first.depth ? first.position : position
}

/**
 * Returns the `prev_events` of an event, and events before them that are separated by soft-failed or rejected events
 * only.
 */
async function coveredBy(tx: Tx, pdu: Pdu): Promise<Set<EventId>> {
  const covered = new Set<EventId>(pdu.prevEvents)
  for (let level = [...covered], left = 200; level.length > 0 && left > 0; ) {
    const unwanted = (await eventsById(tx, level)).filter(({ status }) => status !== EVENT_STATUS.accepted)
    left -= unwanted.length
    level = unwanted.flatMap((event) => event.pdu.prevEvents).filter((id) => !covered.has(id))
    for (const id of level) covered.add(id)
  }
  return covered
}

/**
 * Returns the state that the forward extremities resolve to after an event was appended.
 *
 * Where resolving it costs more than a unit of work may, the state stays as it is and the room is marked, for
 * `resolveForkedRoom` to resolve on another thread. A room that is forked a thousand times therefore does not cost a
 * thousand states per event.
 */
async function rootOfExtremities(
  tx: Tx,
  version: RoomVersion,
  room: OpenRoom,
  landing: { readonly extremities: ForwardExtremities; readonly added?: number; readonly stateAfter: number },
): Promise<{ readonly roomRoot: number; readonly isUnsettled: boolean }> {
  const { extremities, added, stateAfter } = landing
  if (extremities.count === 1 && added !== undefined) return { roomRoot: stateAfter, isUnsettled: false }
  const unsettled = { roomRoot: room.stateRoot, isUnsettled: true }
  if (extremities.count > extremities.listed.length) return unsettled
  const others = await eventsByNid(
    tx,
    extremities.listed.filter((extremity) => extremity !== added),
  )
  const roots = [...others.values()].map((event) => event.stateAfter)
  if (added !== undefined) roots.push(stateAfter)
  const roomRoot = await resolvedRootIfCheap(tx, version, roots)
  return roomRoot === undefined ? unsettled : { roomRoot, isUnsettled: false }
}
