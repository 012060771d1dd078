// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { cachedReader } from '../engine/cached-reader.ts'
import type { Read, Tx } from '../engine/database.ts'
import { noteDeviceChange } from '../keys/device-lists.ts'
import { deleteAccountData } from './account-data.ts'
import { touchPushers } from './pushers.ts'
import type { Tables } from '../schema/schema.ts'
import { deleteTokens } from './sessions.ts'
import { dropSlidingConnections } from './sliding-connections.ts'
import { topics } from '../engine/topics.ts'

/** A device of a local account: something that logged in. */
export interface Device {
  readonly deviceId: string
  readonly displayName: string | null
  readonly lastSeenTs: number | null
  readonly lastSeenIp: string | null
  readonly userAgent: string | null
}

/** The last activity of a device: time, address and user agent. */
export interface Sighting {
  readonly userId: UserId
  readonly deviceId: string
  readonly ts: number
  readonly address: string
  readonly userAgent: string | undefined
}

/** The device ID of tokens by which admins act for a user. There is no such device. */
export const ADMIN_DEVICE = ''

/** Returns a user's devices, by id. */
export async function devicesOf(db: Read, userId: UserId): Promise<Device[]> {
  const rows = await db.selectFrom('devices').selectAll().where('user_id', '=', userId).orderBy('device_id').execute()
  return rows.map(deviceFrom)
}

/** Returns one of a user's devices. */
export async function deviceOf(db: Read, userId: UserId, deviceId: string): Promise<Device | undefined> {
  const row = await db
    .selectFrom('devices')
    .selectAll()
    .where('user_id', '=', userId)
    .where('device_id', '=', deviceId)
    .executeTakeFirst()
  return row && deviceFrom(row)
}

/** Returns whether a user has a device; read once until the account changes. */
export const hasDevice = cachedReader(
  'hasDevice',
  10_000,
  topics.account,
  async (db, userId: UserId, deviceId: string) => (await deviceOf(db, userId, deviceId)) !== undefined,
)

/** Makes a device unless it is known; a known one keeps its name. */
export async function putDevice(
  tx: Tx,
  userId: UserId,
  device: { readonly deviceId: string; readonly displayName: string | null; readonly createdTs: number },
): Promise<void> {
  await tx
    .insertInto('devices')
    .values({
      user_id: userId,
      device_id: device.deviceId,
      display_name: device.displayName,
      last_seen_ts: null,
      last_seen_ip: null,
      user_agent: null,
      created_ts: device.createdTs,
    })
    .onConflict((at) => at.columns(['user_id', 'device_id']).doNothing())
    .execute()
  tx.touch(topics.account(userId))
}

/**
 * Sets the display name of a device and notifies all who track its owner's devices; returns false if there is no such
 * device.
 */
export async function renameDevice(
  tx: Tx,
  userId: UserId,
  deviceId: string,
  displayName: string | null,
): Promise<boolean> {
  const renamed = await tx
    .updateTable('devices')
    .set({ display_name: displayName })
    .where('user_id', '=', userId)
    .where('device_id', '=', deviceId)
    .returning('device_id')
    .executeTakeFirst()
  if (renamed) {
    tx.touch(topics.account(userId))
    await noteDeviceChange(tx, userId)
  }
  return renamed !== undefined
}

/** Records activity of a device. */
export async function putSighting(tx: Tx, seen: Sighting): Promise<void> {
  await tx
    .updateTable('devices')
    .set({ last_seen_ts: seen.ts, last_seen_ip: seen.address, user_agent: seen.userAgent ?? null })
    .where('user_id', '=', seen.userId)
    .where('device_id', '=', seen.deviceId)
    .execute()
  tx.touch(topics.account(seen.userId))
}

/** Returns how many devices a user has. */
export async function countDevices(db: Read, userId: UserId): Promise<number> {
  const row = await db
    .selectFrom('devices')
    .select((devices) => devices.fn.countAll<number>().as('count'))
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return row?.count ?? 0
}

/** Returns a user's devices without keys, and then those with keys, each the least recently used first, at most `limit`. */
export async function leastUsedDevices(db: Read, userId: UserId, limit: number): Promise<string[]> {
  const rows = await db
    .selectFrom('devices')
    .leftJoin('device_keys', (join) =>
      join
        .onRef('device_keys.user_id', '=', 'devices.user_id')
        .onRef('device_keys.device_id', '=', 'devices.device_id'),
    )
    .select(['devices.device_id', 'devices.last_seen_ts', 'devices.created_ts', 'device_keys.device_id as with_keys'])
    .where('devices.user_id', '=', userId)
    .execute()
  const usedTs = (row: (typeof rows)[number]) => row.last_seen_ts ?? row.created_ts
  return rows
    .toSorted((a, b) => Number(a.with_keys !== null) - Number(b.with_keys !== null) || usedTs(a) - usedTs(b))
    .slice(0, limit)
    .map((row) => row.device_id)
}

const TABLES_OF_A_DEVICE = [
  'device_keys',
  'one_time_keys',
  'fallback_keys',
  'to_device',
  'pushers',
  'dehydrated_devices',
] as const

/** Deletes devices with their tokens, keys, messages, pushers and settings, and notifies all who track the user's devices once. */
export async function deleteDevices(tx: Tx, userId: UserId, deviceIds: readonly string[]): Promise<void> {
  let isChanged = false
  for (const deviceId of deviceIds) {
    await deleteTokens(tx, userId, deviceId)
    tx.touch(topics.keys(userId))
    touchPushers(tx, userId)
    for (const table of TABLES_OF_A_DEVICE) {
      await tx.deleteFrom(table).where('user_id', '=', userId).where('device_id', '=', deviceId).execute()
    }
    await dropSlidingConnections(tx, userId, deviceId)
    await dropNotificationSettings(tx, userId, deviceId)
    await tx.deleteFrom('key_signatures').where('target_user', '=', userId).where('target_id', '=', deviceId).execute()
    const gone = await tx
      .deleteFrom('devices')
      .where('user_id', '=', userId)
      .where('device_id', '=', deviceId)
      .returning('device_id')
      .executeTakeFirst()
    isChanged ||= gone !== undefined
  }
  if (isChanged) await noteDeviceChange(tx, userId)
}

/** The prefixes of account data that one device has (MSC3890). */
const NOTIFICATION_SETTINGS = ['org.matrix.msc3890.local_notification_settings.', 'm.local_notification_settings.']

async function dropNotificationSettings(tx: Tx, userId: UserId, deviceId: string): Promise<void> {
  for (const prefix of NOTIFICATION_SETTINGS)
    await deleteAccountData(tx, { userId, roomId: '', type: `${prefix}${deviceId}` })
}

/** Returns whether a name is that of one of the user's cross-signing keys, so that no device may have it. */
export async function isCrossSigningKey(db: Read, userId: UserId, keyName: string): Promise<boolean> {
  const rows = await db.selectFrom('cross_signing_keys').select('key').where('user_id', '=', userId).execute()
  return rows.some(({ key }) => {
    const { keys = {} } = JSON.parse(key) as { keys?: Record<string, string> }
    return Object.keys(keys).some((keyId) => keyId.slice(keyId.indexOf(':') + 1) === keyName)
  })
}

function deviceFrom(row: Tables['devices']): Device {
  return {
    deviceId: row.device_id,
    displayName: row.display_name,
    lastSeenTs: row.last_seen_ts,
    lastSeenIp: row.last_seen_ip,
    userAgent: row.user_agent,
  }
}
