// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { cachedReader, DatabaseCache } from '../engine/cached-reader.ts'
import type { Read, Tx } from '../engine/database.ts'
import { prepared } from '../engine/prepared.ts'
import { topics } from '../engine/topics.ts'
import type { Nid, Position, Tables } from '../schema/schema.ts'

/** The key of a pusher of a user. */
export interface PusherKey {
  readonly userId: UserId
  readonly appId: string
  readonly pushkey: string
}

/** The members of a pusher that a client sets. */
export interface PusherSettings extends PusherKey {
  readonly kind: string
  readonly appDisplayName: string
  readonly deviceDisplayName: string
  readonly profileTag: string
  readonly lang: string
  /** The data, as JSON text. */
  readonly data: string
  /** The device that set it first. */
  readonly deviceId: string
  readonly isEnabled: boolean
  /** The time at which it was set, in ms. */
  readonly setTs: number
}

/** A pusher of a user. */
export interface Pusher extends PusherSettings {
  readonly nid: Nid
  /** Events up to this position are not pushed. */
  readonly position: Position
}

/**
 * The state of a pusher that is behind: its position, the time of the first failure, 0 where none failed, and the time of the
 * next attempt, in ms.
 */
export interface LatePusher {
  readonly nid: Nid
  readonly userId: UserId
  readonly position: Position
  readonly failingSinceTs: number
  readonly retryTs: number
  readonly intervalMs: number
}

const rowsOf = prepared((db, user: UserId) =>
  db.selectFrom('pushers').selectAll().where('user_id', '=', user).orderBy('pusher_nid'),
)

/** Returns a user's pushers, the oldest first; read once until one changes. */
export const pushersOf = cachedReader('pushers', 10_000, topics.pushers, async (db, user: UserId) =>
  (await rowsOf(db, user)).map(pusherFrom),
)

/**
 * Stores a pusher; one of the user with the same app and pushkey is replaced and keeps its number and its device, as another
 * device may enable or disable it. Events before this are not pushed, and it counts as keeping up.
 */
export async function putPusher(tx: Tx, pusher: PusherSettings): Promise<void> {
  const position = tx.takePosition()
  const row = {
    kind: pusher.kind,
    app_display_name: pusher.appDisplayName,
    device_display_name: pusher.deviceDisplayName,
    profile_tag: pusher.profileTag,
    lang: pusher.lang,
    data: pusher.data,
    is_enabled: Number(pusher.isEnabled),
    set_ts: pusher.setTs,
    position,
    late_position: 0,
    failing_since_ts: 0,
    retry_ts: 0,
    interval_ms: 0,
  }
  await tx
    .insertInto('pushers')
    .values({
      pusher_nid: position,
      user_id: pusher.userId,
      app_id: pusher.appId,
      pushkey: pusher.pushkey,
      device_id: pusher.deviceId,
      ...row,
    })
    .onConflict((at) => at.columns(['user_id', 'app_id', 'pushkey']).doUpdateSet(row))
    .execute()
  touchPushers(tx, pusher.userId)
}

/** Deletes a pusher; returns whether there was one. */
export async function deletePusher(tx: Tx, { userId, appId, pushkey }: PusherKey): Promise<boolean> {
  const gone = await tx
    .deleteFrom('pushers')
    .where('user_id', '=', userId)
    .where('app_id', '=', appId)
    .where('pushkey', '=', pushkey)
    .returning('pusher_nid')
    .executeTakeFirst()
  touchPushers(tx, userId)
  return gone !== undefined
}

/** Deletes the pushers of other users with the same app and pushkey. */
export async function deletePushersOfOthers(tx: Tx, { userId, appId, pushkey }: PusherKey): Promise<void> {
  const gone = await tx
    .deleteFrom('pushers')
    .where('app_id', '=', appId)
    .where('pushkey', '=', pushkey)
    .where('user_id', '<>', userId)
    .returning('user_id')
    .execute()
  for (const { user_id: user } of gone) touchPushers(tx, user)
}

/** Touches the topics of a user's pushers; for units that delete them together with other tables. */
export function touchPushers(tx: Tx, userId: UserId): void {
  tx.touch(topics.pushers(userId))
  tx.touch(topics.anyPusher)
}

/** Returns whether any account has a pusher. */
export async function hasPushers(db: Read): Promise<boolean> {
  return (await db.selectFrom('pushers').select('pusher_nid').limit(1).execute()).length > 0
}

const joinedWithPushers = prepared((db, room: Nid) =>
  db
    .selectFrom('members')
    .innerJoin('users', 'users.user_nid', 'members.user_nid')
    .innerJoin('pushers', 'pushers.user_id', 'users.user_id')
    .select(['users.user_id as userId', 'members.position as joined'])
    .distinct()
    .where('members.room_nid', '=', room)
    .where('members.membership', '=', 'join')
    .where((row) => row('pushers.is_enabled', '=', row.lit(1))),
)

/** A member with a pusher, and since when it is joined. */
export interface PushedMember {
  readonly userId: UserId
  readonly joined: Position
}

const inRooms = new DatabaseCache<{ readonly readAt: Position; readonly members: readonly PushedMember[] }>(
  'pushedMembers',
  10_000,
)

/** Returns the joined members of a room that have an enabled pusher; read once until a membership or a pusher changes. */
export async function pushedMembers(db: Read, room: Nid): Promise<readonly PushedMember[]> {
  const { topicPositions } = db
  const readAt = topicPositions.position
  if (readAt === undefined) return joinedWithPushers(db, room)
  const isSame = (since: Position) =>
    !topicPositions.changedSince(topics.members(room), since) && !topicPositions.changedSince(topics.anyPusher, since)
  const kept = inRooms.of(db).get(String(room))
  if (kept && isSame(kept.readAt)) return kept.members
  const members = await joinedWithPushers(db, room)
  inRooms.of(db).set(String(room), { readAt, members })
  return members
}

/** Returns the users with an enabled pusher that were invited to a room after a position. */
export async function usersInvitedAfter(db: Read, after: Position): Promise<UserId[]> {
  const rows = await db
    .selectFrom('pushers')
    .innerJoin('users', 'users.user_id', 'pushers.user_id')
    .innerJoin('members', 'members.user_nid', 'users.user_nid')
    .select('pushers.user_id')
    .distinct()
    .where('members.membership', '=', 'invite')
    .where('members.position', '>', after)
    .where('pushers.is_enabled', '=', 1)
    .execute()
  return rows.map((row) => row.user_id)
}

/** Returns the pushers that have fallen behind. */
export async function latePushers(db: Read): Promise<LatePusher[]> {
  const rows = await db
    .selectFrom('pushers')
    .selectAll()
    .where((row) => row('late_position', '>', row.lit(0)))
    .execute()
  return rows.map((row) => ({
    nid: row.pusher_nid,
    userId: row.user_id,
    position: row.late_position,
    failingSinceTs: row.failing_since_ts,
    retryTs: row.retry_ts,
    intervalMs: row.interval_ms,
  }))
}

/** Stores how far a pusher that fell behind has come. */
export async function putLatePusher(tx: Tx, late: LatePusher): Promise<void> {
  await tx
    .updateTable('pushers')
    .set({
      late_position: late.position,
      failing_since_ts: late.failingSinceTs,
      retry_ts: late.retryTs,
      interval_ms: late.intervalMs,
    })
    .where('pusher_nid', '=', late.nid)
    .execute()
}

/** Records that no pusher that kept up so far has got anything after a position, as if their gateways failed since `now`. */
export async function setAllLate(tx: Tx, position: Position, now: number): Promise<void> {
  await tx
    .updateTable('pushers')
    .set({ late_position: Math.max(1, position), failing_since_ts: now })
    .where('late_position', '=', 0)
    .where('is_enabled', '=', 1)
    .execute()
}

/** Records that a pusher keeps up again. */
export async function clearLatePusher(tx: Tx, nid: Nid): Promise<void> {
  await tx
    .updateTable('pushers')
    .set({ late_position: 0, failing_since_ts: 0, retry_ts: 0, interval_ms: 0 })
    .where('pusher_nid', '=', nid)
    .execute()
}

function pusherFrom(row: Tables['pushers']): Pusher {
  return {
    nid: row.pusher_nid,
    userId: row.user_id,
    appId: row.app_id,
    pushkey: row.pushkey,
    kind: row.kind,
    appDisplayName: row.app_display_name,
    deviceDisplayName: row.device_display_name,
    profileTag: row.profile_tag,
    lang: row.lang,
    data: row.data,
    deviceId: row.device_id,
    isEnabled: row.is_enabled === 1,
    setTs: row.set_ts,
    position: row.position,
  }
}
