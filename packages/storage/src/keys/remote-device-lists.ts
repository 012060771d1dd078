// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'
import type { Position } from '../schema/schema.ts'

/** The devices of a user of another server, as of a stream id of that server. */
export interface RemoteDeviceList {
  readonly userId: UserId
  readonly streamId: number
  /** From where in the log on every change of it was to reach us. */
  readonly position: Position
  readonly list: JsonObject
}

/** Keeps a user's devices. */
export async function putRemoteDeviceList(
  tx: Tx,
  { userId, streamId, position, list }: RemoteDeviceList,
): Promise<void> {
  const row = { stream_id: streamId, position, list: JSON.stringify(list) }
  await tx
    .insertInto('remote_device_lists')
    .values({ user_id: userId, ...row })
    .onConflict((at) => at.column('user_id').doUpdateSet(row))
    .execute()
}

/** Deletes the cached devices of a user, which may have changed. */
export async function dropRemoteDeviceList(tx: Tx, userId: UserId): Promise<void> {
  await tx.deleteFrom('remote_device_lists').where('user_id', '=', userId).execute()
}

/** Returns the cached device lists of these users. */
export async function remoteDeviceLists(db: Read, users: readonly UserId[]): Promise<RemoteDeviceList[]> {
  const rows = await inChunks(users, (chunk) =>
    db.selectFrom('remote_device_lists').selectAll().where('user_id', 'in', chunk).execute(),
  )
  return rows.map((row) => ({
    userId: row.user_id,
    streamId: row.stream_id,
    position: row.position,
    list: JSON.parse(row.list) as JsonObject,
  }))
}
