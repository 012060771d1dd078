// SPDX-License-Identifier: Apache-2.0
import type { EventId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Tx } from './database.ts'
import { eventIdBytes } from './event-ids.ts'
import { EVENT_STATUS } from './events.ts'
import { moveMember } from './members.ts'
import { internKey, internUser } from './names.ts'
import type { OpenRoom } from './rooms.ts'
import type { Nid, Position } from './schema.ts'
import { changeState, stateAt } from './state.ts'
import { pduBytes } from './stored-pdu.ts'

/** What the law and the relations say of an event, worked out before it is appended. */
export interface EventFacts {
  /** Whether it notifies a member who keeps the default push rules. */
  readonly notifies: 'no' | 'yes' | 'highlight'
  readonly relatesTo?: EventId
  readonly relType?: string
  readonly thread?: Nid
  /** The device that sent it and the transaction id it gave. */
  readonly transaction?: { readonly deviceId: string; readonly txnId: string }
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
 * The event must have been authorized against the room's current state and name its extremities. Nothing else
 * creates events of the timeline.
 */
export async function appendEvent(tx: Tx, room: OpenRoom, event: Pdu, facts: EventFacts): Promise<Appended> {
  const position = tx.takePosition()
  const nid = position
  const state = await stateWith(tx, room, event, nid)
  await tx
    .insertInto('events')
    .values({
      event_nid: nid,
      event_id: eventIdBytes(event.id),
      room_nid: room.nid,
      position,
      depth: event.depth,
      type: event.type,
      state_key: event.stateKey ?? null,
      sender_nid: await internUser(tx, event.sender),
      origin_server_ts: event.originServerTs,
      state_before: room.stateRoot,
      state_after: state.after,
      room_root: state.after,
      replaces_nid: state.replaces ?? null,
      relates_to: facts.relatesTo ? eventIdBytes(facts.relatesTo) : null,
      rel_type: facts.relType ?? null,
      thread_nid: facts.thread ?? null,
      notifies: NOTIFIES[facts.notifies],
      status: EVENT_STATUS.accepted,
      redacted_by: null,
      txn_device: facts.transaction?.deviceId ?? null,
      txn_id: facts.transaction?.txnId ?? null,
      pdu: pduBytes(event),
    })
    .execute()
  tx.caches.pdus.set(nid, { pdu: event })
  const counts = { joined_count: room.joinedCount, invited_count: room.invitedCount }
  if (event.type === 'm.room.member' && event.stateKey !== undefined) {
    const membership = stringMember(event.content, 'membership') ?? 'leave'
    const before = await moveMember(tx, room.nid, event.stateKey as UserId, { membership, event: nid, position })
    for (const [status, change] of [
      [before, -1],
      [membership, 1],
    ] as const) {
      if (status === 'join') counts.joined_count += change
      if (status === 'invite') counts.invited_count += change
    }
    tx.touch(event.stateKey)
  }
  await tx
    .updateTable('rooms')
    .set({
      extremities: `[${nid}]`,
      depth: event.depth,
      state_root: state.after,
      opened: room.opened + 1,
      last_position: position,
      ...counts,
    })
    .where('room_nid', '=', room.nid)
    .execute()
  tx.touch(room.id)
  return { nid, position, stateAfter: state.after }
}

async function stateWith(tx: Tx, room: OpenRoom, event: Pdu, nid: Nid): Promise<{ after: Nid; replaces?: Nid }> {
  if (event.stateKey === undefined) return { after: room.stateRoot }
  const key = await internKey(tx, event.type, event.stateKey)
  const replaces = await stateAt(tx, room.stateRoot, key)
  const after = await changeState(tx, room.stateRoot, [{ key, event: nid }])
  return { after, ...(replaces === undefined ? {} : { replaces }) }
}
