// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { eventIdBytes } from '../rooms/events/event-ids.ts'
import { EVENT_STATUS } from '../rooms/events/events.ts'
import { roomNid, userNames } from '../engine/names.ts'
import { prepared } from '../engine/prepared.ts'
import type { Nid, Position } from '../schema/schema.ts'

/** An event to send to other servers, and the states before and after it. */
export interface OutgoingEvent {
  readonly nid: Nid
  readonly position: Position
  readonly type: string
  readonly stateKey: string | null
  readonly stateBefore: Nid
  readonly stateAfter: Nid
  /** The server that gave it to us to be sent on. */
  readonly relayedFor: ServerName | undefined
}

const PAGE = 200

/**
 * Returns a page of the events of a room to send to other servers, after one position and up to another, newest first:
 * events of this server's users, and events relayed for others.
 */
export async function* outgoingEvents(
  db: Read,
  us: ServerName,
  roomId: RoomId,
  { after, upTo }: { readonly after: Position; readonly upTo: Position },
): AsyncGenerator<OutgoingEvent[]> {
  const room = await roomNid(db, roomId)
  if (room === undefined) return
  for (let before = upTo + 1; ; ) {
    const rows = await newestFirst(db, room, after, before, PAGE)
    const senders = await userNames(
      db,
      rows.map((row) => row.sender_nid),
    )
    const ours = rows.flatMap((row): OutgoingEvent[] => {
      const sender = senders.get(row.sender_nid)
      if (sender === undefined || (row.relayed === null && serverOf(sender) !== us)) return []
      return [
        {
          nid: row.event_nid,
          position: row.position ?? 0,
          type: row.type,
          stateKey: row.state_key,
          stateBefore: row.state_before,
          stateAfter: row.state_after,
          relayedFor: row.relayed === null ? undefined : serverOf(sender),
        },
      ]
    })
    if (ours.length > 0) yield ours
    if (rows.length < PAGE) return
    before = rows.at(-1)?.position ?? 0
  }
}

const newestFirst = prepared((db, room: Nid, after: Position, before: Position, limit: number) =>
  db
    .selectFrom('events')
    .leftJoin('relayed_events', 'relayed_events.event_nid', 'events.event_nid')
    .select([
      'events.event_nid',
      'events.position',
      'events.type',
      'events.state_key',
      'events.state_before',
      'events.state_after',
      'events.sender_nid',
      'relayed_events.event_nid as relayed',
    ])
    .where('events.room_nid', '=', room)
    .where('events.position', 'is not', null)
    .where('events.position', '>', after)
    .where('events.position', '<', before)
    .where('events.status', '=', EVENT_STATUS.accepted)
    .orderBy('events.position', 'desc')
    .limit(limit),
)

/**
 * Gives an event of another server's user to the sender, which sends it on to the other servers in the room. In the unit that
 * appends it; `now` in ms.
 */
export async function relayEvent(tx: Tx, eventId: EventId, now: number): Promise<void> {
  const event = await tx
    .selectFrom('events')
    .select('event_nid')
    .where('event_id', '=', eventIdBytes(eventId))
    .executeTakeFirst()
  if (!event) return
  await tx
    .insertInto('relayed_events')
    .values({ event_nid: event.event_nid, relayed_ts: now })
    .onConflict((at) => at.column('event_nid').doNothing())
    .execute()
}

/**
 * Deletes the records of relayed events from before a time (ms), oldest first, at most `limit`; returns their number.
 * The events stay.
 */
export async function dropOldRelays(tx: Tx, beforeTs: number, limit: number): Promise<number> {
  const rows = await tx
    .selectFrom('relayed_events')
    .select('event_nid')
    .where('relayed_ts', '<', beforeTs)
    .orderBy('relayed_ts')
    .limit(limit)
    .execute()
  const nids = rows.map((row) => row.event_nid)
  if (nids.length > 0) await tx.deleteFrom('relayed_events').where('event_nid', 'in', nids).execute()
  return rows.length
}

/** Returns the rooms in which something was appended after a position. */
export async function roomsChangedAfter(db: Read, after: Position): Promise<RoomId[]> {
  const rows = await db.selectFrom('rooms').select('room_id').where('last_position', '>', after).execute()
  return rows.map((row) => row.room_id)
}
