// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { ExpressionBuilder } from 'kysely'
import type { Read, Tx } from '../engine/database.ts'
import { inChunks } from '../engine/database.ts'
import { internUser, userNid, userNids, withUserNames } from '../engine/names.ts'
import { sharesRoomWith } from '../rooms/members/shared-rooms.ts'
import { prepared } from '../engine/prepared.ts'
import type { Nid, Position, Tables } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** The presence state of a user who does not want to be disturbed (MSC3026). */
export const BUSY = 'org.matrix.msc3026.busy'

/** A presence state. */
export type PresenceState = typeof BUSY | 'online' | 'unavailable' | 'offline'

/** The presence of a user. */
export interface Presence {
  readonly userId: UserId
  readonly state: PresenceState
  readonly statusMessage: string | undefined
  /** 0 if unknown. */
  readonly lastActiveTs: number
  /** They did something a moment ago. */
  readonly isActive: boolean
  /** The time of the last update, in ms. */
  readonly saidTs: number
  readonly position: Position
}

/** A device that a user is present on, until `untilTs`. */
export interface PresentDevice {
  readonly userId: UserId
  readonly deviceId: string
  readonly state: PresenceState
  readonly untilTs: number
}

/** Stores the presence of a user. */
export async function putPresence(tx: Tx, presence: Omit<Presence, 'position'>): Promise<void> {
  const row = {
    state: presence.state,
    status_msg: presence.statusMessage ?? null,
    last_active_ts: presence.lastActiveTs,
    is_active: Number(presence.isActive),
    said_ts: presence.saidTs,
    position: tx.takePosition(),
  }
  await tx
    .insertInto('presence')
    .values({ user_nid: await internUser(tx, presence.userId), ...row })
    .onConflict((at) => at.column('user_nid').doUpdateSet(row))
    .execute()
  tx.touch(topics.presence)
  tx.touch(topics.presenceOf(presence.userId))
}

/** Returns the presence of these users; users without one are left out. */
export async function presenceOf(db: Read, users: readonly UserId[]): Promise<Presence[]> {
  const nids = [...(await userNids(db, users)).values()]
  const rows = await inChunks(nids, (chunk) =>
    db.selectFrom('presence').selectAll().where('user_nid', 'in', chunk).execute(),
  )
  return presencesFrom(db, rows)
}

/**
 * Returns the presence of a user and of all who share a room with them that changed after one position and up to
 * another.
 */
export async function presenceBetween(db: Read, viewer: UserId, after: Position, upTo: Position): Promise<Presence[]> {
  if (!db.topicPositions.changedSince(topics.presence, after)) return []
  const nid = await userNid(db, viewer)
  return nid === undefined ? [] : presencesFrom(db, await changedFor(db, nid, after, upTo))
}

/**
 * Returns the presence of a user and of all who share a room with them and are not offline, last changed first, at most
 * `limit`.
 */
export async function presenceAround(db: Read, viewer: UserId, limit: number): Promise<Presence[]> {
  const nid = await userNid(db, viewer)
  if (nid === undefined) return []
  const rows = await db
    .selectFrom('presence')
    .selectAll('presence')
    .where('state', '<>', 'offline')
    .where((row) => isShownTo(row, nid))
    .orderBy('position', 'desc')
    .limit(limit)
    .execute()
  return presencesFrom(db, rows)
}

/** The presence of the viewer and of users who share a room with them. */
const isShownTo = (row: ExpressionBuilder<Tables, 'presence'>, viewer: Nid) =>
  row.or([row('presence.user_nid', '=', viewer), sharesRoomWith(viewer, 'presence.user_nid')])

const changedFor = prepared((db, viewer: Nid, after: Position, upTo: Position) =>
  db
    .selectFrom('presence')
    .selectAll('presence')
    .where('presence.position', '>', after)
    .where('presence.position', '<=', upTo)
    .where((row) => isShownTo(row, viewer))
    .orderBy('presence.position'),
)

/** Stores the presence of a device, or deletes an offline one; returns all devices that its user is present on then. */
export async function putPresentDevice(tx: Tx, device: PresentDevice): Promise<PresentDevice[]> {
  const user = await internUser(tx, device.userId)
  const key = { user_nid: user, device_id: device.deviceId }
  const row = { state: device.state, until_ts: device.untilTs }
  if (device.state === 'offline') {
    await tx
      .deleteFrom('present_devices')
      .where('user_nid', '=', user)
      .where('device_id', '=', device.deviceId)
      .execute()
  } else {
    await tx
      .insertInto('present_devices')
      .values({ ...key, ...row })
      .onConflict((at) => at.columns(['user_nid', 'device_id']).doUpdateSet(row))
      .execute()
  }
  const rows = await tx.selectFrom('present_devices').selectAll().where('user_nid', '=', user).execute()
  return rows.map((each) => ({
    userId: device.userId,
    deviceId: each.device_id,
    state: each.state as PresenceState,
    untilTs: each.until_ts,
  }))
}

/** Returns whether a user said on a device that they are busy, and that is valid at a time (ms). */
export async function isBusyOn(db: Read, userId: UserId, deviceId: string, now: number): Promise<boolean> {
  const nid = await userNid(db, userId)
  if (nid === undefined) return false
  const row = await db
    .selectFrom('present_devices')
    .select('state')
    .where('user_nid', '=', nid)
    .where('device_id', '=', deviceId)
    .where('until_ts', '>=', now)
    .executeTakeFirst()
  return row?.state === BUSY
}

/** Returns devices whose presence is stale because their node is gone, at most `limit`. */
export async function lostDevices(db: Read, now: number, limit: number): Promise<PresentDevice[]> {
  const rows = await db
    .selectFrom('present_devices')
    .selectAll()
    .where('until_ts', '<', now)
    .orderBy('until_ts')
    .limit(limit)
    .execute()
  return withUserNames(db, rows, (row, userId) => {
    const state = row.state as PresenceState
    return { userId, deviceId: row.device_id, state, untilTs: row.until_ts }
  })
}

/** Returns remote users who are not offline and have had no update since a time (ms), at most `limit`. */
export async function silentSince(db: Read, saidTs: number, limit: number): Promise<Presence[]> {
  const rows = await db
    .selectFrom('presence')
    .selectAll()
    .where('state', '<>', 'offline')
    .where('said_ts', '<', saidTs)
    .orderBy('said_ts')
    .limit(limit)
    .execute()
  return presencesFrom(db, rows)
}

async function presencesFrom(db: Read, rows: readonly Tables['presence'][]): Promise<Presence[]> {
  return withUserNames(db, rows, (row, userId) => ({
    userId,
    state: row.state as PresenceState,
    statusMessage: row.status_msg ?? undefined,
    lastActiveTs: row.last_active_ts,
    isActive: row.is_active === 1,
    saidTs: row.said_ts,
    position: row.position,
  }))
}
