// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from './database.ts'
import type { Position } from './schema.ts'

/** A message on its way to one device: JSON with `type`, `sender` and `content`. */
export interface ToDeviceMessage {
  readonly position: Position
  readonly message: string
}

/** Queues a message and wakes the device's user. */
export async function queueToDevice(tx: Tx, user: UserId, deviceId: string, message: string): Promise<void> {
  await tx
    .insertInto('to_device')
    .values({ user_id: user, device_id: deviceId, position: tx.takePosition(), message })
    .execute()
  tx.touch(user)
}

/** The first messages that wait for a device after one position and up to another, oldest first. */
export async function waitingToDevice(
  db: Read,
  user: UserId,
  deviceId: string,
  { after, upTo, limit }: { readonly after: Position; readonly upTo: Position; readonly limit: number },
): Promise<ToDeviceMessage[]> {
  return db
    .selectFrom('to_device')
    .select(['position', 'message'])
    .where('user_id', '=', user)
    .where('device_id', '=', deviceId)
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .orderBy('position')
    .limit(limit)
    .execute()
}

/** Drops what a device has acknowledged: everything up to a position. */
export async function dropToDevice(tx: Tx, user: UserId, deviceId: string, upTo: Position): Promise<void> {
  await tx
    .deleteFrom('to_device')
    .where('user_id', '=', user)
    .where('device_id', '=', deviceId)
    .where('position', '<=', upTo)
    .execute()
}
