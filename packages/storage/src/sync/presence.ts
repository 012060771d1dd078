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

/** How present somebody is. */
export type PresenceState = 'online' | 'unavailable' | 'offline'

/** What is known of somebody's presence. */
export interface Presence {
  readonly userId: UserId
  readonly state: PresenceState
  readonly statusMessage: string | undefined
  /** 0 where that was never told. */
  readonly lastActiveTs: number
  /** They did something a moment ago. */
  readonly isActive: boolean
  /** When this was last said anew. */
  readonly saidTs: number
  readonly position: Position
}

/** A device that somebody is present on, until it is said again. */
export interface PresentDevice {
  readonly userId: UserId
  readonly deviceId: string
  readonly state: PresenceState
  readonly untilTs: number
}

/** Records how present somebody is from now on. */
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

/** What is known of these users' presence; those of whom nothing is known are left out. */
export async function presenceOf(db: Read, users: readonly UserId[]): Promise<Presence[]> {
  const nids = [...(await userNids(db, users)).values()]
  const rows = await inChunks(nids, (chunk) =>
    db.selectFrom('presence').selectAll().where('user_nid', 'in', chunk).execute(),
  )
  return presencesFrom(db, rows)
}

/** The presence of those who share a room with a user, and their own, that changed after one position and up to another. */
export async function presenceBetween(db: Read, viewer: UserId, after: Position, upTo: Position): Promise<Presence[]> {
  if (!db.topicPositions.changedSince(topics.presence, after)) return []
  const nid = await userNid(db, viewer)
  return nid === undefined ? [] : presencesFrom(db, await changedFor(db, nid, after, upTo))
}

/** Those who share a room with a user and are not offline, and the user; so many that changed last. */
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

/** Of oneself, and of those one shares a room with. */
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

/** Records how present a device is; an offline one is forgotten. Answers all devices its user is present on then. */
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

/** Devices nobody has vouched for in time, so many of them: the node they spoke with is gone. */
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

/** Those who are said to be there and of whom nothing was heard since then, so many of them. */
export async function unheardSince(db: Read, saidTs: number, limit: number): Promise<Presence[]> {
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
