// SPDX-License-Identifier: Apache-2.0
import type { ServerName, UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import type { Position } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/**
 * A user whose device list is out of date at a server, and the list that the server last received: a digest by device.
 */
export interface OutgoingDeviceList {
  readonly userId: UserId
  readonly position: Position
  readonly sentPosition: Position
  readonly sent: ReadonlyMap<string, string>
}

/** Notes that there is news of a user's devices for a server, as of a position. */
export async function putDeviceListNews(
  tx: Tx,
  userId: UserId,
  servers: Iterable<ServerName>,
  position: Position,
): Promise<void> {
  for (const server of servers) {
    await tx
      .insertInto('outgoing_device_lists')
      .values({ server_name: server, user_id: userId, position, told_position: 0, told: '[]' })
      .onConflict((at) =>
        at
          .columns(['server_name', 'user_id'])
          .doUpdateSet({ position })
          .where('outgoing_device_lists.position', '<', position),
      )
      .execute()
    tx.touch(topics.waitingFor(server))
  }
}

/** Returns the users of whose devices there is news for a server, oldest first. */
export async function deviceListNews(db: Read, server: ServerName, limit: number): Promise<OutgoingDeviceList[]> {
  const rows = await db
    .selectFrom('outgoing_device_lists')
    .select(['user_id', 'position', 'told_position', 'told'])
    .where('server_name', '=', server)
    .whereRef('position', '>', 'told_position')
    .orderBy('position')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    userId: row.user_id,
    position: row.position,
    sentPosition: row.told_position,
    sent: new Map(JSON.parse(row.told) as [string, string][]),
  }))
}

/** Returns a server knows a user's devices as they were at a position. */
export async function putSentDeviceList(
  tx: Tx,
  server: ServerName,
  { userId, position, sent }: Pick<OutgoingDeviceList, 'userId' | 'position' | 'sent'>,
): Promise<void> {
  await tx
    .updateTable('outgoing_device_lists')
    .set({ told_position: position, told: JSON.stringify([...sent]) })
    .where('server_name', '=', server)
    .where('user_id', '=', userId)
    .execute()
}

/** Returns the servers for which there is news. */
export async function serversWithDeviceNews(db: Read): Promise<ServerName[]> {
  const rows = await db
    .selectFrom('outgoing_device_lists')
    .select('server_name')
    .distinct()
    .whereRef('position', '>', 'told_position')
    .execute()
  return rows.map((row) => row.server_name)
}
