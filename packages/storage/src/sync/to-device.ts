// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'
import { insertRow, prepared } from '../engine/prepared.ts'
import { DatabaseCache } from '../engine/cached-reader.ts'
import type { Position } from '../schema/schema.ts'

/** A message on its way to one device: JSON with `type`, `sender` and `content`. */
export interface ToDeviceMessage {
  readonly position: Position
  readonly message: string
}

/** Queues a message and wakes the user of the device. */
export async function queueToDevice(tx: Tx, user: UserId, deviceId: string, message: string): Promise<void> {
  await insertRow(tx, 'to_device', { user_id: user, device_id: deviceId, position: tx.takePosition(), message })
  tx.touch(user)
}

/** Returns the devices of each of these users that a message can be queued for. */
export async function reachableDevices(db: Read, users: readonly UserId[]): Promise<Map<UserId, Set<string>>> {
  const rows = await inChunks(users, (chunk) =>
    db.selectFrom('devices').select(['user_id', 'device_id']).where('user_id', 'in', chunk).execute(),
  )
  const devices = new Map<UserId, Set<string>>()
  for (const { user_id: user, device_id: deviceId } of rows) {
    devices.set(user, (devices.get(user) ?? new Set()).add(deviceId))
  }
  return devices
}

/** Returns the first messages that wait for a device after one position and up to another, oldest first; a hundred at the most. */
export async function waitingToDevice(
  db: Read,
  user: UserId,
  deviceId: string,
  { after, upTo, limit }: { readonly after: Position; readonly upTo: Position; readonly limit: number },
): Promise<ToDeviceMessage[]> {
  const key = `${user}\0${deviceId}`
  const known = empty.of(db).get(key)
  if (known && after >= known.after && !db.topicPositions.changedSince(user, known.readAt)) return []
  const readAt = db.topicPositions.position
  const rows = await waitingBetween(db, user, deviceId, after, upTo)
  if (rows.length === 0 && readAt !== undefined) empty.of(db).set(key, { readAt: Math.min(readAt, upTo), after })
  return rows.slice(0, limit)
}

/** Of which devices it is known that nothing waited after a position. */
const empty = new DatabaseCache<{ readonly readAt: Position; readonly after: Position }>('waitsForDevice', 20_000)

/** Returns whether anything a device was given up to a position still has to be dropped. Once not, never again: positions only grow. */
export async function keepsUpTo(db: Read, user: UserId, deviceId: string, upTo: Position): Promise<boolean> {
  const key = `${user}\0${deviceId}`
  if ((dropped.of(db).get(key) ?? -1) >= upTo) return false
  const [first] = await waitingBetween(db, user, deviceId, 0, upTo)
  if (!first && db.topicPositions.position !== undefined && upTo <= db.topicPositions.position)
    dropped.of(db).set(key, upTo)
  return first !== undefined
}

const dropped = new DatabaseCache<Position>('droppedForDevice', 20_000)

/** Drops what a device has acknowledged: everything up to a position. */
export async function dropToDevice(tx: Tx, user: UserId, deviceId: string, upTo: Position): Promise<void> {
  await tx
    .deleteFrom('to_device')
    .where('user_id', '=', user)
    .where('device_id', '=', deviceId)
    .where('position', '<=', upTo)
    .execute()
}

/** A message on its way to a device, with the device. */
export interface AddressedMessage extends ToDeviceMessage {
  readonly userId: UserId
  readonly deviceId: string
}

/** Returns the users that messages wait for which were queued after one position and up to another. */
export async function usersWithToDevice(db: Read, after: Position, upTo: Position): Promise<UserId[]> {
  const rows = await db
    .selectFrom('to_device')
    .select('user_id')
    .distinct()
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .execute()
  return rows.map((row) => row.user_id)
}

/** Returns the messages for all devices of these users that were queued after one position and up to another, oldest first. */
export async function toDeviceOfUsers(
  db: Read,
  users: readonly UserId[],
  { after, upTo }: { readonly after: Position; readonly upTo: Position },
): Promise<AddressedMessage[]> {
  const rows = await inChunks(users, (chunk) =>
    db
      .selectFrom('to_device')
      .selectAll()
      .where('user_id', 'in', chunk)
      .where('position', '>', after)
      .where('position', '<=', upTo)
      .execute(),
  )
  return rows
    .map((row) => ({ userId: row.user_id, deviceId: row.device_id, position: row.position, message: row.message }))
    .toSorted((a, b) => a.position - b.position)
}

/** Drops single messages, which were delivered. */
export async function dropDelivered(tx: Tx, messages: readonly AddressedMessage[]): Promise<void> {
  for (const { userId, deviceId, position } of messages) {
    await tx
      .deleteFrom('to_device')
      .where('user_id', '=', userId)
      .where('device_id', '=', deviceId)
      .where('position', '=', position)
      .execute()
  }
}

// No answer carries more than this.
const MAX_WAITING = 100

const waitingBetween = prepared((db, user: UserId, deviceId: string, after: Position, upTo: Position) =>
  db
    .selectFrom('to_device')
    .select(['position', 'message'])
    .where('user_id', '=', user)
    .where('device_id', '=', deviceId)
    .where('position', '>', after)
    .where('position', '<=', upTo)
    .orderBy('position')
    .limit(MAX_WAITING),
)
