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
import { insertRow, preparedWrite } from './prepared.ts'
import type { Nid, Position, Tables } from './schema.ts'
import { changeState, stateAt } from './state.ts'
import { pduBytes } from './stored-pdu.ts'
import { topics } from './topics.ts'

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
  const state = await stateWith(tx, room, event, position)
  const isNotifying = facts.notifies !== 'no' && facts.thread === undefined
  const notified = room.notified + (isNotifying ? 1 : 0)
  const row = eventRow(event, facts, { room, position, state, notified, sender: await internUser(tx, event.sender) })
  await insertRow(tx, 'events', row)
  tx.caches.pdus.set(position, { pdu: event })
  const counts = await moveMembership(tx, room, event, position)
  const extremities = `[${position}]`
  await moveRoom(tx, {
    room: room.nid,
    extremities,
    depth: event.depth,
    root: state.after,
    position,
    notified,
    ...counts,
  })
  tx.touch(room.id)
  if (facts.notifies !== 'no' && facts.thread !== undefined) tx.touch(topics.threads(room.id))
  if (facts.notifies === 'highlight') tx.touch(topics.loud(room.id))
  return { nid: position, position, stateAfter: state.after }
}

type RoomNow = {
  readonly room: Nid
  readonly extremities: string
  readonly depth: number
  readonly root: Nid
  readonly position: Position
  readonly notified: number
  readonly joined: number
  readonly invited: number
}

const moveRoom = preparedWrite<RoomNow>(
  ['room', 'extremities', 'depth', 'root', 'position', 'notified', 'joined', 'invited'],
  (tx, now) =>
    tx
      .updateTable('rooms')
      .set((room) => ({
        extremities: now.extremities,
        depth: now.depth,
        state_root: now.root,
        opened: room('opened', '+', 1),
        last_position: now.position,
        notified: now.notified,
        joined_count: now.joined,
        invited_count: now.invited,
      }))
      .where('room_nid', '=', now.room),
)

type Landing = {
  readonly room: OpenRoom
  readonly position: Position
  readonly sender: Nid
  readonly notified: number
  readonly state: { readonly after: Nid; readonly replaces?: Nid }
}

function eventRow(
  event: Pdu,
  facts: EventFacts,
  { room, position, sender, notified, state }: Landing,
): Tables['events'] {
  return {
    event_nid: position,
    event_id: eventIdBytes(event.id),
    room_nid: room.nid,
    position,
    depth: event.depth,
    type: event.type,
    state_key: event.stateKey ?? null,
    sender_nid: sender,
    origin_server_ts: event.originServerTs,
    state_before: room.stateRoot,
    state_after: state.after,
    room_root: state.after,
    replaces_nid: state.replaces ?? null,
    relates_to: facts.relatesTo ? eventIdBytes(facts.relatesTo) : null,
    rel_type: facts.relType ?? null,
    thread_nid: facts.thread ?? null,
    notifies: NOTIFIES[facts.notifies],
    notified,
    status: EVENT_STATUS.accepted,
    redacted_by: null,
    txn_device: facts.transaction?.deviceId ?? null,
    txn_id: facts.transaction?.txnId ?? null,
    pdu: pduBytes(event),
  }
}

/** Records a member event as its target's standing; answers the room's counts with it. */
async function moveMembership(
  tx: Tx,
  room: OpenRoom,
  event: Pdu,
  position: Position,
): Promise<{ joined: number; invited: number }> {
  const counts = { joined: room.joinedCount, invited: room.invitedCount }
  if (event.type !== 'm.room.member' || event.stateKey === undefined) return counts
  const membership = stringMember(event.content, 'membership') ?? 'leave'
  const before = await moveMember(tx, room.nid, event.stateKey as UserId, { membership, event: position, position })
  for (const [status, change] of [
    [before, -1],
    [membership, 1],
  ] as const) {
    if (status === 'join') counts.joined += change
    if (status === 'invite') counts.invited += change
  }
  tx.touch(event.stateKey)
  return counts
}

async function stateWith(tx: Tx, room: OpenRoom, event: Pdu, nid: Nid): Promise<{ after: Nid; replaces?: Nid }> {
  if (event.stateKey === undefined) return { after: room.stateRoot }
  const key = await internKey(tx, event.type, event.stateKey)
  const replaces = await stateAt(tx, room.stateRoot, key)
  const after = await changeState(tx, room.stateRoot, [{ key, event: nid }])
  return { after, ...(replaces === undefined ? {} : { replaces }) }
}
