// SPDX-License-Identifier: Apache-2.0
import { mapInTurns, step } from '@myelin/kit/turn'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { inChunks } from '../../engine/database.ts'
import type { Read, Tx } from '../../engine/database.ts'
import { eventIdBytes, eventIdOf } from './event-ids.ts'
import { roomNames, roomNid } from '../../engine/names.ts'
import { BEGINNING, justAfter } from './history-positions.ts'
import { prepared, preparedList } from '../../engine/prepared.ts'
import type { Nid, Position } from '../../schema/schema.ts'
import type { CachedPdu, StoredEvent } from '../../schema/stored-event.ts'
import { dropFromSearch } from './searchable.ts'
import { storedPdu } from './stored-pdu.ts'
import { topics } from '../../engine/topics.ts'

/** The status of an event: accepted, soft-failed (in the graph, not shown), or rejected. */
export const EVENT_STATUS = { accepted: 0, softFailed: 1, rejected: 2 } as const

// The estimated costs of a row, and of parsing an event.
const ROW_COST_US = 1
const PARSE_COST_US = 10

const LIGHT = [
  'event_nid',
  'event_id',
  'room_nid',
  'position',
  'state_before',
  'state_after',
  'room_root',
  'notified',
  'replaces_nid',
  'redacted_by',
  'thread_nid',
  'status',
  'txn_device',
  'txn_id',
] as const

type LightRow = {
  event_nid: Nid
  event_id: Uint8Array
  room_nid: Nid
  position: Position | null
  state_before: Nid
  state_after: Nid
  room_root: Nid
  notified: number
  replaces_nid: Nid | null
  redacted_by: Nid | null
  thread_nid: Nid | null
  status: number
  txn_device: string | null
  txn_id: string | null
}

/** A walk through the events of a room: direction, start (exclusive) and limit. */
export interface Walk {
  readonly roomId: RoomId
  readonly direction: 'forward' | 'backward'
  /** Exclusive bounds, both in positions; the walk starts at the one its direction names. */
  readonly after: Position
  readonly before: Position
  readonly limit: number
}

/** Returns a room's timeline between two positions (exclusive), in arrival order or against it; soft-failed and rejected events left out. */
export async function timeline(db: Read, walk: Walk): Promise<StoredEvent[]> {
  const nid = await roomNid(db, walk.roomId)
  if (nid === undefined) return []
  const read = walk.direction === 'forward' ? forward : backward
  const rows = await read(db, nid, walk.after, walk.before, walk.limit)
  return withPdus(db, rows)
}

const forward = prepared((db, room: Nid, after: Position, before: Position, limit: number) =>
  between(db, room, after, before).orderBy('position', 'asc').limit(limit),
)
const backward = prepared((db, room: Nid, after: Position, before: Position, limit: number) =>
  between(db, room, after, before).orderBy('position', 'desc').limit(limit),
)
const between = (db: Read, room: Nid, after: Position, before: Position) =>
  db
    .selectFrom('events')
    .select(LIGHT)
    .where('room_nid', '=', room)
    .where('position', 'is not', null)
    .where('position', '>', after)
    .where('position', '<', before)
    .where('status', '=', EVENT_STATUS.accepted)

const TAIL = 64

/**
 * Returns the newest events of a room at its last position, newest first: 64, or all if there are fewer.
 *
 * One cached tail serves all readers. New events are added to it. A redaction, backfilled history, or the end of
 * partial state makes it be read again.
 */
export async function roomTail(db: Read, roomId: RoomId, lastPosition: Position): Promise<readonly StoredEvent[]> {
  const nid = await roomNid(db, roomId)
  if (nid === undefined) return []
  const readAt = db.topicPositions.position
  const kept = readAt === undefined ? undefined : db.caches.tails.get(nid)
  const isStill =
    kept !== undefined &&
    kept.upTo <= lastPosition &&
    !db.topicPositions.changedSince(topics.redacted(nid), kept.readAt) &&
    !db.topicPositions.changedSince(topics.history(nid), kept.readAt) &&
    !db.topicPositions.changedSince(topics.recast(nid), kept.readAt)
  if (isStill && kept.upTo === lastPosition) return kept.events
  const fresh = await withPdus(
    db,
    await backward(db, nid, isStill ? kept.upTo : BEGINNING, justAfter(lastPosition), TAIL),
  )
  const events = isStill ? [...fresh, ...kept.events].slice(0, TAIL) : fresh
  // A tail with an earlier end must not replace a later one.
  if (readAt !== undefined && (kept === undefined || kept.upTo <= lastPosition))
    db.caches.tails.set(nid, { readAt, upTo: lastPosition, events })
  return events
}

/** Returns whether a tail reaches back to a position: everything after it is in the tail. */
export function reachesBackTo(tail: readonly StoredEvent[], position: Position): boolean {
  return tail.length < TAIL || (tail.at(-1)?.position ?? 0) <= position
}

/** Returns an event of any status by its ID. */
export async function eventById(db: Read, id: EventId): Promise<StoredEvent | undefined> {
  return (await eventsById(db, [id]))[0]
}

/** Returns the events among these that we have, in no particular order. */
export async function eventsById(db: Read, ids: readonly EventId[]): Promise<StoredEvent[]> {
  if (ids.length === 0) return []
  return withPdus(db, await rowsById(db, new Set(ids).values().map(eventIdBytes)))
}

const rowsById = preparedList((db, ids: readonly Uint8Array[]) =>
  db.selectFrom('events').select(LIGHT).where('event_id', 'in', ids),
)

/** Returns events by number, as a map. */
export async function eventsByNid(db: Read, nids: readonly Nid[]): Promise<Map<Nid, StoredEvent>> {
  if (nids.length === 0) return new Map()
  return new Map((await withPdus(db, await rowsByNid(db, nids))).map((event) => [event.nid, event]))
}

const rowsByNid = preparedList((db, nids: readonly Nid[]) =>
  db.selectFrom('events').select(LIGHT).where('event_nid', 'in', nids),
)

/** Returns the events of type `m.room.power_levels` among these. */
export async function powerLevelsAmong(db: Read, nids: readonly Nid[]): Promise<Nid[]> {
  return (await powerLevelsByNid(db, nids)).map((row) => row.event_nid)
}

const powerLevelsByNid = preparedList((db, nids: readonly Nid[]) =>
  db.selectFrom('events').select('event_nid').where('event_nid', 'in', nids).where('type', '=', 'm.room.power_levels'),
)

/** Returns the PDUs of events by number, without their rows, mostly from memory; enough for auth checks and state. */
export async function pdusByNid(db: Read, nids: readonly Nid[]): Promise<Map<Nid, Pdu>> {
  const found = new Map<Nid, Pdu>()
  const missing = nids.filter((nid) => {
    const kept = db.caches.pdus.get(nid)
    if (kept) found.set(nid, kept.pdu)
    return !kept
  })
  if (missing.length === 0) return found
  for (const [nid, kept] of await loadPdus(db, missing)) found.set(nid, kept.pdu)
  return found
}

/** Returns the PDUs of very many events, without caching them, because they would evict all others. */
export async function passingPdus(db: Read, nids: readonly Nid[]): Promise<Map<Nid, Pdu>> {
  const rows = await bytesByNid(db, nids)
  const rooms = await roomNames(db, [...new Set(rows.map((row) => row.room_nid))])
  const pdus = new Map<Nid, Pdu>()
  await mapInTurns(rows, PARSE_COST_US, (row) => {
    const roomId = rooms.get(row.room_nid) ?? ('' as RoomId)
    pdus.set(row.event_nid, storedPdu(row.pdu, eventIdOf(row.event_id), roomId))
  })
  return pdus
}

/** Returns the events that relate to any of these, by one of these relation types or any, oldest first, at most `limit`. */
export async function eventsRelatingTo(
  db: Read,
  parents: readonly EventId[],
  relTypes: readonly string[] | undefined,
  limit: number,
): Promise<StoredEvent[]> {
  const rows = await inChunks(padded(parents.map(eventIdBytes)), (chunk) => {
    const query = db
      .selectFrom('events')
      .select(LIGHT)
      .where('relates_to', 'in', chunk)
      .where('relates_to', 'is not', null)
      .where('status', '=', EVENT_STATUS.accepted)
      .where('position', 'is not', null)
      .orderBy('position')
      .limit(limit)
    return (relTypes === undefined ? query : query.where('rel_type', 'in', relTypes)).execute()
  })
  return withPdus(db, rows)
}

/** Returns a list padded with its last value to the next power of two, so that few statements are prepared. */
function padded<Value>(values: readonly Value[]): Value[] {
  const last = values.at(-1)
  if (last === undefined) return []
  const length = 2 ** Math.ceil(Math.log2(values.length))
  return [...values, ...Array<Value>(length - values.length).fill(last)]
}

/** Returns the number and position of an event of this room, without loading it. */
export async function placeOfEvent(
  db: Read,
  id: EventId,
): Promise<{ nid: Nid; roomNid: Nid; position: Position | null; thread: Nid | null } | undefined> {
  const row = await db
    .selectFrom('events')
    .select(['event_nid', 'room_nid', 'position', 'thread_nid'])
    .where('event_id', '=', eventIdBytes(id))
    .executeTakeFirst()
  return row && { nid: row.event_nid, roomNid: row.room_nid, position: row.position, thread: row.thread_nid }
}

/** Returns the root of a room's current state as it was at a position. */
export async function stateRootAt(db: Read, roomId: RoomId, position: Position): Promise<Nid> {
  const nid = await roomNid(db, roomId)
  if (nid === undefined) return 0
  const key = `${nid} ${position}`
  const kept = db.caches.rootsAt.get(key)
  // The result at a position changes only once more: at the end of partial state.
  if (kept && !db.topicPositions.changedSince(topics.recast(nid), kept.readAt)) return kept.root
  const readAt = db.topicPositions.position
  const [[event], [move]] = await Promise.all([rootAt(db, nid, position), movedAt(db, nid, position)])
  const isMoved = move !== undefined && move.position > (event?.position ?? BEGINNING)
  const root = isMoved ? move.state_root : (event?.room_root ?? 0)
  if (readAt !== undefined) db.caches.rootsAt.set(key, { root, readAt })
  return root
}

const rootAt = prepared((db, room: Nid, position: Position) =>
  db
    .selectFrom('events')
    .select(['room_root', 'position'])
    .where('room_nid', '=', room)
    .where('position', 'is not', null)
    .where('position', '<=', position)
    .orderBy('position', 'desc')
    .limit(1),
)

const movedAt = prepared((db, room: Nid, position: Position) =>
  db
    .selectFrom('state_moves')
    .select(['state_root', 'position'])
    .where('room_nid', '=', room)
    .where('position', '<=', position)
    .orderBy('position', 'desc')
    .limit(1),
)

/** Marks an event as redacted by another; the first redaction stands. */
export async function markRedacted(tx: Tx, target: Nid, by: Nid): Promise<void> {
  const row = await tx
    .updateTable('events')
    .set({ redacted_by: by })
    .where('event_nid', '=', target)
    .where('redacted_by', 'is', null)
    .returning('room_nid')
    .executeTakeFirst()
  if (!row) return
  await dropFromSearch(tx, [target])
  tx.touch(topics.redacted(row.room_nid))
}

async function withPdus(db: Read, rows: readonly LightRow[]): Promise<StoredEvent[]> {
  const kept = new Map<Nid, CachedPdu>()
  const missing: Nid[] = []
  for (const { event_nid: nid } of rows) {
    const found = db.caches.pdus.get(nid)
    if (found) kept.set(nid, found)
    else missing.push(nid)
  }
  for (const [nid, loaded] of await loadPdus(db, missing)) kept.set(nid, loaded)
  const events: StoredEvent[] = []
  for (const row of rows) {
    const pdu = kept.get(row.event_nid)
    if (pdu) events.push(storedEvent(row, pdu))
    const pausing = step(ROW_COST_US)
    if (pausing) await pausing
  }
  return events
}

function storedEvent(row: LightRow, kept: CachedPdu): StoredEvent {
  return {
    nid: row.event_nid,
    position: row.position,
    stateBefore: row.state_before,
    stateAfter: row.state_after,
    roomRoot: row.room_root,
    notified: row.notified,
    replaces: row.replaces_nid,
    redactedBy: row.redacted_by,
    thread: row.thread_nid,
    status: row.status,
    transaction: row.txn_device === null ? undefined : { deviceId: row.txn_device, txnId: row.txn_id ?? '' },
    kept,
    pdu: kept.pdu,
  }
}

const bytesByNid = preparedList((db, nids: readonly Nid[]) =>
  db.selectFrom('events').select(['event_nid', 'event_id', 'room_nid', 'pdu']).where('event_nid', 'in', nids),
)

async function loadPdus(db: Read, nids: readonly Nid[]): Promise<Map<Nid, CachedPdu>> {
  if (nids.length === 0) return new Map()
  const rows = await bytesByNid(db, nids)
  const rooms = await roomNames(db, [...new Set(rows.map((row) => row.room_nid))])
  const loaded = new Map<Nid, CachedPdu>()
  await mapInTurns(rows, PARSE_COST_US, (row) => {
    const roomId = rooms.get(row.room_nid) ?? ('' as RoomId)
    const kept: CachedPdu = { pdu: storedPdu(row.pdu, eventIdOf(row.event_id), roomId) }
    db.caches.pdus.set(row.event_nid, kept)
    loaded.set(row.event_nid, kept)
  })
  return loaded
}
