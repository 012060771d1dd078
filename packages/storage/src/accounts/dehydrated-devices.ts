// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read, Tx } from '../engine/database.ts'

/** A user's dehydrated device, which is one of the user's devices and has no tokens. */
export interface DehydratedDevice {
  readonly deviceId: string
  /** The private keys, encrypted by the client. */
  readonly deviceData: JsonObject
}

/** Returns the dehydrated device of a user. */
export async function dehydratedDeviceOf(db: Read, userId: UserId): Promise<DehydratedDevice | undefined> {
  const row = await db
    .selectFrom('dehydrated_devices')
    .select(['device_id', 'device_data'])
    .where('user_id', '=', userId)
    .executeTakeFirst()
  return row && { deviceId: row.device_id, deviceData: JSON.parse(row.device_data) as JsonObject }
}

/** Makes a device of a user the dehydrated one, in place of any other. */
export async function putDehydratedDevice(
  tx: Tx,
  userId: UserId,
  { deviceId, deviceData }: DehydratedDevice,
): Promise<void> {
  const row = { device_id: deviceId, device_data: JSON.stringify(deviceData) }
  await tx
    .insertInto('dehydrated_devices')
    .values({ user_id: userId, ...row })
    .onConflict((at) => at.column('user_id').doUpdateSet(row))
    .execute()
}
