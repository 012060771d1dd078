// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@myelin/matrix/canonical-json'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { unsignedForm } from '@myelin/matrix/signatures'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'
import { noteDeviceChange } from './device-lists.ts'
import { deleteSignaturesOn } from './key-signatures.ts'

/** A device's identity keys as it uploaded them, with the name its owner gave it. */
export interface DeviceKeys {
  readonly userId: UserId
  readonly deviceId: string
  readonly keys: JsonObject
  readonly displayName: string | null
}

/**
 * Stores the identity keys of a device and notifies all who track its owner's devices, unless the keys are unchanged.
 */
export async function putDeviceKeys(tx: Tx, userId: UserId, deviceId: string, keys: JsonObject): Promise<void> {
  const text = canonicalJson(keys)
  const before = await tx
    .selectFrom('device_keys')
    .select('keys')
    .where('user_id', '=', userId)
    .where('device_id', '=', deviceId)
    .executeTakeFirst()
  if (before?.keys === text) return
  const row = { keys: text, position: tx.takePosition() }
  await tx
    .insertInto('device_keys')
    .values({ user_id: userId, device_id: deviceId, ...row })
    .onConflict((at) => at.columns(['user_id', 'device_id']).doUpdateSet(row))
    .execute()
  if (
    before &&
    canonicalJson(unsignedForm(JSON.parse(before.keys) as JsonObject)) !== canonicalJson(unsignedForm(keys))
  ) {
    await deleteSignaturesOn(tx, userId, deviceId)
  }
  await noteDeviceChange(tx, userId)
}

/** Returns the identity keys of all devices of these users, by user and device. */
export async function deviceKeysOf(db: Read, users: readonly UserId[]): Promise<DeviceKeys[]> {
  const rows = await inChunks(users, (chunk) =>
    db
      .selectFrom('device_keys')
      .leftJoin('devices', (on) =>
        on
          .onRef('devices.user_id', '=', 'device_keys.user_id')
          .onRef('devices.device_id', '=', 'device_keys.device_id'),
      )
      .select(['device_keys.user_id', 'device_keys.device_id', 'device_keys.keys', 'devices.display_name'])
      .where('device_keys.user_id', 'in', chunk)
      .orderBy('device_keys.user_id')
      .orderBy('device_keys.device_id')
      .execute(),
  )
  return rows.map((row) => ({
    userId: row.user_id,
    deviceId: row.device_id,
    keys: JSON.parse(row.keys) as JsonObject,
    displayName: row.display_name,
  }))
}
