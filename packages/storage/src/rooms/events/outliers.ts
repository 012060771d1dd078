// SPDX-License-Identifier: Apache-2.0
import { isUserId } from '@myelin/matrix/ids'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { putEventRow } from './event-row.ts'
import type { EventFacts, EventRow } from './event-row.ts'
import type { Read, Tx } from '../../engine/database.ts'
import { eventIdBytes, eventIdOf } from './event-ids.ts'
import { internKey, internKeys, internUsers } from '../../engine/names.ts'
import { prepared } from '../../engine/prepared.ts'
import type { Nid, Position } from '../../schema/schema.ts'
import { buildState, changeState } from '../state/state.ts'
import { topics } from '../../engine/topics.ts'

/** An event that gets no place in the timeline. */
export interface Outlier {
  readonly room: Nid
  readonly status: EventRow['status']
  /** The states around it, where they are known. */
  readonly stateBefore?: Nid
  readonly stateAfter?: Nid
  /** The root of the current state that soft-failed it, if it was soft-failed. */
  readonly roomRoot?: Nid
  /** Its number, where it has one, and whether it is kept already. */
  readonly nid?: Nid | undefined
  readonly isKept?: boolean
}

const SILENT: EventFacts = { notifies: 'no' }

/** Stores an outlier: an auth event, state from before our join, or a rejected event. Returns its number. */
export async function putOutlier(tx: Tx, event: Pdu, outlier: Outlier): Promise<Nid> {
  const nid = outlier.nid ?? tx.takeNid()
  const state = { before: outlier.stateBefore ?? 0, after: outlier.stateAfter ?? 0, roomRoot: outlier.roomRoot ?? 0 }
  const { room, status } = outlier
  await putEventRow(tx, event, {
    ...SILENT,
    nid,
    room,
    status,
    position: null,
    notified: 0,
    state,
    isKept: outlier.isKept ?? false,
  })
  return nid
}

/** The place of a backfilled event: a position before the event that led to it. */
export interface HistoricPlace extends EventFacts {
  readonly room: Nid
  /** One of `placesBefore` the event that led to it. */
  readonly position: Position
  readonly stateBefore: Nid
  readonly stateAfter: Nid
  readonly nid: Nid
  readonly isKept: boolean
}

/** Puts an event in front of the room's history. The room itself does not move. */
export async function putHistoricEvent(tx: Tx, event: Pdu, place: HistoricPlace): Promise<void> {
  const { stateBefore: before, stateAfter: after, ...says } = place
  const state = { before, after, roomRoot: after }
  await putEventRow(tx, event, { ...says, notified: 0, state, status: 'accepted' })
  tx.touch(topics.history(place.room))
}

/** Returns the root of the state that these events make, the last one counting where two have one key. */
export async function stateOfEvents(tx: Tx, events: readonly { readonly nid: Nid; readonly pdu: Pdu }[]): Promise<Nid> {
  const keys = await internKeysOf(
    tx,
    events.map(({ pdu }) => pdu),
  )
  const entries = new Map<Nid, Nid>()
  for (const { nid, pdu } of events) {
    const key = pdu.stateKey === undefined ? undefined : keys.get(pdu.type)?.get(pdu.stateKey)
    if (key !== undefined) entries.set(key, nid)
  }
  return buildState(tx, entries)
}

/** Gives numbers to the state keys of events and to the users named there, by type and key. */
export async function internKeysOf(
  tx: Tx,
  pdus: readonly Pdu[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, Nid>>> {
  const keys = new Map<string, ReadonlyMap<string, Nid>>()
  for (const type of new Set(pdus.map((pdu) => pdu.type))) {
    const named = pdus.flatMap((pdu) => (pdu.type === type ? (pdu.stateKey ?? []) : []))
    keys.set(type, await internKeys(tx, type, named))
  }
  await internUsers(tx, [...(keys.get('m.room.member')?.keys() ?? [])].filter(isUserId))
  return keys
}

/** Returns the root of a state with one event on top of it; the same where it is not a state event. */
export async function stateWithEvent(tx: Tx, root: Nid, event: { readonly nid: Nid; readonly pdu: Pdu }): Promise<Nid> {
  if (event.pdu.stateKey === undefined) return root
  return changeState(tx, root, [{ key: await internKey(tx, event.pdu.type, event.pdu.stateKey), event: event.nid }])
}

/** Notes the events that one of the timeline names as `prev_events` and that have no place in it. */
export async function putBackwardExtremities(
  tx: Tx,
  room: Nid,
  ids: readonly EventId[],
  position: Position,
): Promise<void> {
  if (ids.length === 0) return
  await tx
    .insertInto('backward_extremities')
    .values(ids.map((id) => ({ room_nid: room, event_id: eventIdBytes(id), position })))
    .onConflict((at) => at.columns(['room_nid', 'event_id']).doNothing())
    .execute()
  await tx
    .updateTable('rooms')
    .set({ last_hole: position })
    .where('room_nid', '=', room)
    .where('last_hole', '<', position)
    .execute()
}

/** Returns whether an event was missing from history; it is not any more. */
export async function takeBackwardExtremity(tx: Tx, room: Nid, id: EventId): Promise<boolean> {
  const bytes = eventIdBytes(id)
  // Hardly any event is one, so looking comes first: it is cheaper than writing nothing.
  if ((await isBackwardExtremity(tx, room, bytes)).length === 0) return false
  await tx.deleteFrom('backward_extremities').where('room_nid', '=', room).where('event_id', '=', bytes).execute()
  return true
}

const isBackwardExtremity = prepared((db, room: Nid, id: Uint8Array) =>
  db.selectFrom('backward_extremities').select('position').where('room_nid', '=', room).where('event_id', '=', id),
)

/** Returns where a room's history has gaps: the missing events, and the position of one that names them, nearest to now first. */
export async function backwardExtremities(
  db: Read,
  roomId: RoomId,
): Promise<{ readonly eventId: EventId; readonly position: Position }[]> {
  const rows = await holesOf(db, roomId)
  return rows.map((row) => ({ eventId: eventIdOf(row.event_id), position: row.position }))
}

const holesOf = prepared((db, roomId: RoomId) =>
  db
    .selectFrom('backward_extremities')
    .innerJoin('rooms', 'rooms.room_nid', 'backward_extremities.room_nid')
    .select(['backward_extremities.event_id', 'backward_extremities.position'])
    .where('rooms.room_id', '=', roomId)
    .orderBy('backward_extremities.position', 'desc')
    .limit(100),
)

/** Returns the newest event between two positions that names a missing one. */
export async function newestGap(
  db: Read,
  roomId: RoomId,
  after: Position,
  upTo: Position,
): Promise<Position | undefined> {
  const gaps = await backwardExtremities(db, roomId)
  return gaps.find(({ position }) => position > after && position <= upTo)?.position
}

/** Keeps a redaction in mind whose target is not there yet. */
export async function putEarlyRedaction(tx: Tx, target: EventId, redaction: Nid): Promise<void> {
  await tx
    .insertInto('early_redactions')
    .values({ event_id: eventIdBytes(target), redaction_nid: redaction })
    .onConflict((at) => at.columns(['event_id', 'redaction_nid']).doNothing())
    .execute()
}

/** Returns the redactions that waited for an event; they do not wait any more. */
export async function takeEarlyRedactions(tx: Tx, target: EventId): Promise<Nid[]> {
  const bytes = eventIdBytes(target)
  const rows = await earlyRedactionsOf(tx, bytes)
  if (rows.length === 0) return []
  await tx.deleteFrom('early_redactions').where('event_id', '=', bytes).execute()
  return rows.map((row) => row.redaction_nid)
}

const earlyRedactionsOf = prepared((db, target: Uint8Array) =>
  db.selectFrom('early_redactions').select('redaction_nid').where('event_id', '=', target),
)
