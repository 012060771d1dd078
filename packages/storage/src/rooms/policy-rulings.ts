// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { eventIdBytes } from './events/event-ids.ts'
import { internUser, roomNid, userNid } from '../engine/names.ts'

/** A ruling of this server as a policy server, and its time (ms); without a `refusal` it signed the event. */
export interface PolicyRuling {
  readonly refusal: string | undefined
  readonly ruledTs: number
}

/** Returns the ruling on an event, if there is one. */
export async function policyRuling(db: Read, eventId: EventId): Promise<PolicyRuling | undefined> {
  const row = await db
    .selectFrom('policy_rulings')
    .select(['refusal', 'ruled_ts'])
    .where('event_id', '=', eventIdBytes(eventId))
    .executeTakeFirst()
  return row && { refusal: row.refusal ?? undefined, ruledTs: row.ruled_ts }
}

/** Stores a ruling on an event; returns the first ruling, which stands. */
export async function putPolicyRuling(tx: Tx, eventId: EventId, ruling: PolicyRuling): Promise<PolicyRuling> {
  const row = { event_id: eventIdBytes(eventId), refusal: ruling.refusal ?? null, ruled_ts: ruling.ruledTs }
  await tx
    .insertInto('policy_rulings')
    .values(row)
    .onConflict((at) => at.column('event_id').doNothing())
    .execute()
  return (await policyRuling(tx, eventId)) ?? ruling
}

/** Stores the time (ms) at which a user's join was signed; a later one replaces it. */
export async function putPolicyEntry(tx: Tx, roomId: RoomId, user: UserId, sinceTs: number): Promise<void> {
  const room = await roomNid(tx, roomId)
  if (room === undefined) return
  const key = { room_nid: room, user_nid: await internUser(tx, user) }
  await tx
    .insertInto('policy_entries')
    .values({ ...key, since_ts: sinceTs })
    .onConflict((at) => at.columns(['room_nid', 'user_nid']).doUpdateSet({ since_ts: sinceTs }))
    .execute()
}

/** Returns the time (ms) at which a user's last join was signed; undefined where that was long ago, or not by this server. */
export async function policyEntry(db: Read, roomId: RoomId, user: UserId): Promise<number | undefined> {
  const [room, nid] = [await roomNid(db, roomId), await userNid(db, user)]
  if (room === undefined || nid === undefined) return undefined
  const row = await db
    .selectFrom('policy_entries')
    .select('since_ts')
    .where('room_nid', '=', room)
    .where('user_nid', '=', nid)
    .executeTakeFirst()
  return row?.since_ts
}

/** Deletes rulings and joins from before a time (ms). */
export async function dropOldRulings(tx: Tx, beforeTs: number): Promise<void> {
  await tx.deleteFrom('policy_rulings').where('ruled_ts', '<', beforeTs).execute()
  await tx.deleteFrom('policy_entries').where('since_ts', '<', beforeTs).execute()
}
