// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { Tx } from '../engine/database.ts'
import type { Bytes } from '../schema/schema.ts'
import type { MediaName } from './media.ts'

/** Notes that media was accessed. */
export async function noteMediaAccess(tx: Tx, { serverName, mediaId }: MediaName, now: number): Promise<void> {
  await tx
    .updateTable('media')
    .set({ last_access_ts: now })
    .where('server_name', '=', serverName)
    .where('media_id', '=', mediaId)
    .where('last_access_ts', '<', now)
    .execute()
}

/**
 * Deletes at most `limit` media of other servers that were last accessed before a time; their files remain. Returns the hashes of
 * their content, one for each.
 */
export async function dropUnusedRemoteMedia(
  tx: Tx,
  ownName: ServerName,
  { beforeTs, limit }: { readonly beforeTs: number; readonly limit: number },
): Promise<Bytes[]> {
  const rows = await tx
    .selectFrom('media')
    .select(['server_name', 'media_id', 'sha256'])
    .where('server_name', '!=', ownName)
    .where('last_access_ts', '<', beforeTs)
    // Earlier versions of Myelin write no access time.
    .where('created_ts', '<', beforeTs)
    .where('sha256', 'is not', null)
    .orderBy('last_access_ts')
    .limit(limit)
    .execute()
  for (const [server, ofServer] of Map.groupBy(rows, (row) => row.server_name)) {
    const ids = ofServer.map((row) => row.media_id)
    await tx.deleteFrom('media').where('server_name', '=', server).where('media_id', 'in', ids).execute()
  }
  return rows.flatMap(({ sha256 }) => (sha256 === null ? [] : [sha256]))
}
