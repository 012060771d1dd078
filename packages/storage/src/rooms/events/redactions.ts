// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Tx } from '../../engine/database.ts'
import { roomNid, userNid } from '../../engine/names.ts'
import { prepared } from '../../engine/prepared.ts'
import type { Nid, Position } from '../../schema/schema.ts'
import { topics } from '../../engine/topics.ts'
import { dropFromSearch } from './searchable.ts'

/** The most events that one unit of work redacts: the database handles them in a few milliseconds. */
export const MAX_REDACTED_AT_ONCE = 200

/** The events of one sender in one room, and the event that redacts them. */
export interface SenderRedaction {
  readonly roomId: RoomId
  readonly sender: UserId
  readonly by: Nid
}

/**
 * Marks the last events of a sender before a position as redacted by an event, at most {@link MAX_REDACTED_AT_ONCE}. Create
 * and server ACL events stay as they are, and so do events that are redacted already.
 *
 * Returns the position to go on from; undefined where no event is left.
 */
export async function redactEventsOf(
  tx: Tx,
  { roomId, sender, by }: SenderRedaction,
  before: Position,
): Promise<Position | undefined> {
  const [room, user] = [await roomNid(tx, roomId), await userNid(tx, sender)]
  if (room === undefined || user === undefined) return undefined
  const events = await newestOf(tx, room, user, before)
  const open = events.filter((event) => event.redacted_by === null && !UNREDACTABLE.has(event.type))
  if (open.length > 0) {
    const nids = open.map((event) => event.event_nid)
    await tx.updateTable('events').set({ redacted_by: by }).where('event_nid', 'in', nids).execute()
    await dropFromSearch(tx, nids)
    tx.touch(topics.redacted(room))
  }
  const last = events.at(-1)?.position
  return events.length === MAX_REDACTED_AT_ONCE && typeof last === 'number' ? last : undefined
}

/** The types of events that no kick or ban redacts: an ACL without content would deny every server. */
export const UNREDACTABLE: ReadonlySet<string> = new Set(['m.room.create', 'm.room.server_acl'])

const newestOf = prepared((db, room: Nid, user: Nid, before: Position) =>
  db
    .selectFrom('events')
    .select(['event_nid', 'position', 'type', 'redacted_by'])
    .where('room_nid', '=', room)
    .where('sender_nid', '=', user)
    .where('position', 'is not', null)
    .where('position', '<', before)
    .orderBy('position', 'desc')
    .limit(MAX_REDACTED_AT_ONCE),
)
