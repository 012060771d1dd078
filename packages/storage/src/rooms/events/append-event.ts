// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Tx } from '../../engine/database.ts'
import { authNidsOf } from './auth-edges.ts'
import { eventIdBytes } from './event-ids.ts'
import { EVENT_STATUS } from './events.ts'
import { dropUnlistedExtremities } from './forward-extremities.ts'
import { updateMembers } from '../members/member-changes.ts'
import type { PrecomputedMemberChanges } from '../members/member-changes.ts'
import { internKey, internUser } from '../../engine/names.ts'
import { roomRows } from '../room-row.ts'
import type { OpenRoom } from '../rooms.ts'
import { BUMPS } from './bump-types.ts'
import { requestName } from './sent-events.ts'
import { insertRow } from '../../engine/prepared.ts'
import type { Nid, Position, Tables } from '../../schema/schema.ts'
import { changeState, stateAt } from '../state/state.ts'
import { pduBytes } from './stored-pdu.ts'
import { topics } from '../../engine/topics.ts'

/** The facts of an event that rules and relations give, computed before it is appended. */
export interface EventFacts {
  /** Whether it notifies a member who has the default push rules. */
  readonly notifies: 'no' | 'yes' | 'highlight'
  readonly relatesTo?: EventId
  readonly relType?: string
  readonly thread?: Nid
  /** The device that sent it and the transaction id it gave. */
  readonly transaction?: { readonly deviceId: string; readonly txnId: string }
}

/** Where an event stands that does not simply continue the room: between which states, and what it leaves the room with. */
export interface EventPlace {
  readonly stateBefore: Nid
  readonly stateAfter: Nid
  /**
   * The root of the room's current state with the event, and the heads of its graph as the room's row lists them; a null
   * among them is the event itself.
   */
  readonly roomRoot: Nid
  readonly heads: readonly (Nid | null)[]
  /** The number of forward extremities, where not all are listed. */
  readonly extremityCount?: number
  /** The root is not yet the resolution of all forward extremities. */
  readonly isUnsettled?: boolean
  /** The event's number, and whether it is kept already, as an outlier. */
  readonly nid: Nid
  readonly isKept: boolean
  /** How the members differ, where many do. */
  readonly foreseen?: PrecomputedMemberChanges
}

/** How {@link EventFacts.notifies} is stored. */
export const NOTIFIES = { no: 0, yes: 1, highlight: 2 } as const

/** Where an event landed. */
export interface Appended {
  readonly nid: Nid
  readonly position: Position
  readonly stateAfter: Nid
}

/**
 * Puts an event at the end of its room: the event, the state it makes, membership and the room's row, all at once.
 *
 * Without a place the event must have been authorized against the room's current state and name its heads. Nothing
 * else creates events of the timeline.
 */
export async function appendEvent(
  tx: Tx,
  room: OpenRoom,
  event: Pdu,
  facts: EventFacts,
  place?: EventPlace,
): Promise<Appended> {
  const position = tx.takePosition()
  const nid = place?.nid ?? position
  const state = await stateWith(tx, room, event, nid, place)
  const isNotifying = facts.notifies !== 'no' && facts.thread === undefined
  const notified = room.notified + (isNotifying ? 1 : 0)
  await putEventRow(tx, event, {
    ...facts,
    nid,
    room: room.nid,
    position,
    state,
    notified,
    status: 'accepted',
    isKept: place?.isKept ?? false,
  })
  const counts = await updateMembers(tx, room, {
    own: { event, nid },
    root: place?.roomRoot,
    position,
    foreseen: place?.foreseen,
  })
  const heads = (place?.heads ?? [null]).map((head) => head ?? nid)
  const extremityCount = place?.extremityCount ?? heads.length
  if (extremityCount === heads.length && room.extremityCount > room.heads.length)
    await dropUnlistedExtremities(tx, room.nid)
  tx.known.change(
    roomRows,
    room.movedBy({
      extremities: JSON.stringify(heads),
      head_count: extremityCount,
      is_unsettled: place?.isUnsettled ? 1 : 0,
      depth: Math.max(room.depth, clamped(event.depth)),
      state_root: state.roomRoot,
      last_position: position,
      notified,
      joined_count: counts.joined,
      invited_count: counts.invited,
      bump_position: BUMPS.has(event.type) ? position : room.bumpPosition,
    }),
  )
  if (facts.transaction) tx.known.note(requestName({ roomId: room.id, sender: event.sender, ...facts.transaction }))
  tx.touch(room.id)
  if (place?.isUnsettled) tx.touch(topics.unsettled)
  if (facts.notifies !== 'no' && facts.thread !== undefined) tx.touch(topics.threads(room.id))
  if (facts.notifies === 'highlight') tx.touch(topics.loud(room.id))
  return { nid, position, stateAfter: state.after }
}

/** Everything a row of `events` says beside the event itself. */
export interface EventRow extends EventFacts {
  readonly nid: Nid
  readonly room: Nid
  readonly position: Position | null
  readonly notified: number
  readonly state: { readonly before: Nid; readonly after: Nid; readonly roomRoot: Nid; readonly replaces?: Nid }
  readonly status: keyof typeof EVENT_STATUS
  /** Whether the row is there already and is now overwritten. */
  readonly isKept: boolean
}

/** Writes an event's row. */
export async function putEventRow(tx: Tx, event: Pdu, says: EventRow): Promise<void> {
  const row = eventRow(event, says, await internUser(tx, event.sender), await authNidsOf(tx, event))
  if (says.isKept) {
    const { event_nid: nid, pdu: _pdu, event_id: _id, room_nid: _room, ...changed } = row
    await tx.updateTable('events').set(changed).where('event_nid', '=', nid).execute()
  } else {
    await insertRow(tx, 'events', row)
    tx.caches.pdus.set(says.nid, { pdu: event })
  }
  if (says.relatesTo) tx.touch(topics.related(says.room))
}

// What old room versions allow and a column does not hold; the PDU keeps the number as it is.
const clamped = (value: number) => Math.min(value, Number.MAX_SAFE_INTEGER)

function eventRow(event: Pdu, says: EventRow, sender: Nid, authNids: readonly Nid[] | undefined): Tables['events'] {
  return {
    event_nid: says.nid,
    event_id: eventIdBytes(event.id),
    room_nid: says.room,
    position: says.position,
    depth: clamped(event.depth),
    type: event.type,
    state_key: event.stateKey ?? null,
    sender_nid: sender,
    origin_server_ts: clamped(event.originServerTs),
    state_before: says.state.before,
    state_after: says.state.after,
    room_root: says.state.roomRoot,
    replaces_nid: says.state.replaces ?? null,
    relates_to: says.relatesTo ? eventIdBytes(says.relatesTo) : null,
    rel_type: says.relType ?? null,
    thread_nid: says.thread ?? null,
    notifies: NOTIFIES[says.notifies],
    notified: says.notified,
    status: EVENT_STATUS[says.status],
    redacted_by: null,
    txn_device: says.transaction?.deviceId ?? null,
    txn_id: says.transaction?.txnId ?? null,
    auth_nids: authNids ? JSON.stringify(authNids) : null,
    pdu: pduBytes(event),
  }
}

async function stateWith(
  tx: Tx,
  room: OpenRoom,
  event: Pdu,
  nid: Nid,
  place: EventPlace | undefined,
): Promise<EventRow['state']> {
  const before = place?.stateBefore ?? room.stateRoot
  if (event.stateKey === undefined) return { before, after: before, roomRoot: place?.roomRoot ?? before }
  const key = await internKey(tx, event.type, event.stateKey)
  const replaces = await stateAt(tx, before, key)
  const after = place?.stateAfter ?? (await changeState(tx, before, [{ key, event: nid }]))
  return { before, after, roomRoot: place?.roomRoot ?? after, ...(replaces === undefined ? {} : { replaces }) }
}
