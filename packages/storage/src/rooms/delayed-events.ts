// SPDX-License-Identifier: Apache-2.0
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read, Tx } from '../engine/database.ts'
import { topics } from '../engine/topics.ts'
import type { Tables } from '../schema/schema.ts'

/** Stands in place of the device of an event that was scheduled: its transaction ID is the delay ID. No device has this ID. */
export const DELAYED_DEVICE = '\u0001delayed'

/** An event that its sender scheduled for later (MSC4140); times in ms. */
export interface DelayedEvent {
  readonly delayId: string
  readonly userId: UserId
  readonly deviceId: string
  readonly roomId: RoomId
  readonly type: string
  readonly stateKey: string | undefined
  readonly content: JsonObject
  readonly delayMs: number
  /** The time for which the event is sticky once it is sent; 0 for an event that is not. */
  readonly stickyMs: number
  /** The time at which it was last scheduled or restarted. */
  readonly sinceTs: number
}

/** Returns a user's delayed events, the oldest first. */
export async function delayedEventsOf(db: Read, user: UserId): Promise<DelayedEvent[]> {
  const rows = await db
    .selectFrom('delayed_events')
    .selectAll()
    .where('user_id', '=', user)
    .orderBy('since_ts')
    .orderBy('delay_id')
    .execute()
  return rows.map(delayedEventFrom)
}

/** Returns a delayed event; undefined where there is none, or it was sent or cancelled. */
export async function delayedEventById(db: Read, delayId: string): Promise<DelayedEvent | undefined> {
  const row = await db.selectFrom('delayed_events').selectAll().where('delay_id', '=', delayId).executeTakeFirst()
  return row && delayedEventFrom(row)
}

/** Returns the delayed events that are due at a time, the first due first, at most `limit`. */
export async function dueDelayedEvents(db: Read, now: number, limit: number): Promise<DelayedEvent[]> {
  const rows = await db
    .selectFrom('delayed_events')
    .selectAll()
    .where('due_ts', '<=', now)
    .orderBy('due_ts')
    .limit(limit)
    .execute()
  return rows.map(delayedEventFrom)
}

/** Returns when the next delayed event is due; undefined where there is none. */
export async function nextDelayedEventTs(db: Read): Promise<number | undefined> {
  const row = await db.selectFrom('delayed_events').select('due_ts').orderBy('due_ts').limit(1).executeTakeFirst()
  return row?.due_ts
}

/** Returns how many events a user has scheduled. */
export async function countDelayedEvents(db: Read, user: UserId): Promise<number> {
  const row = await db
    .selectFrom('delayed_events')
    .select((each) => each.fn.countAll<number>().as('count'))
    .where('user_id', '=', user)
    .executeTakeFirst()
  return Number(row?.count ?? 0)
}

/** Schedules an event. */
export async function putDelayedEvent(tx: Tx, event: DelayedEvent): Promise<void> {
  // The sender of delayed events follows the log.
  tx.takePosition()
  await tx
    .insertInto('delayed_events')
    .values({
      delay_id: event.delayId,
      user_id: event.userId,
      device_id: event.deviceId,
      room_id: event.roomId,
      event_type: event.type,
      state_key: event.stateKey ?? null,
      content: JSON.stringify(event.content),
      delay_ms: event.delayMs,
      sticky_ms: event.stickyMs,
      since_ts: event.sinceTs,
      due_ts: event.sinceTs + event.delayMs,
    })
    .execute()
  tx.touch(topics.delayedEvents)
}

/** Starts the delay of a user's event again; returns whether there is such an event. */
export async function restartDelayedEvent(tx: Tx, user: UserId, delayId: string, now: number): Promise<boolean> {
  const row = await tx
    .selectFrom('delayed_events')
    .select('delay_ms')
    .where('delay_id', '=', delayId)
    .where('user_id', '=', user)
    .executeTakeFirst()
  if (!row) return false
  await tx
    .updateTable('delayed_events')
    .set({ since_ts: now, due_ts: now + row.delay_ms })
    .where('delay_id', '=', delayId)
    .execute()
  tx.touch(topics.delayedEvents)
  return true
}

/**
 * Deletes a delayed event, if it is due by a time where one is given; returns whether there was one.
 */
export async function deleteDelayedEvent(
  tx: Tx,
  { userId, delayId, dueBy = Number.MAX_SAFE_INTEGER }: { userId: UserId; delayId: string; dueBy?: number },
): Promise<boolean> {
  const gone = await tx
    .deleteFrom('delayed_events')
    .where('delay_id', '=', delayId)
    .where('user_id', '=', userId)
    .where('due_ts', '<=', dueBy)
    .returning('delay_id')
    .executeTakeFirst()
  return gone !== undefined
}

function delayedEventFrom(row: Tables['delayed_events']): DelayedEvent {
  return {
    delayId: row.delay_id,
    userId: row.user_id,
    deviceId: row.device_id,
    roomId: row.room_id,
    type: row.event_type,
    stateKey: row.state_key ?? undefined,
    content: JSON.parse(row.content) as JsonObject,
    delayMs: row.delay_ms,
    stickyMs: row.sticky_ms,
    sinceTs: row.since_ts,
  }
}
