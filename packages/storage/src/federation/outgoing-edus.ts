// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import type { Read, Tx } from '../engine/database.ts'
import { insertRow } from '../engine/prepared.ts'
import type { Nid } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** An EDU that waits for its server. */
export interface WaitingEdu {
  readonly nid: Nid
  readonly edu: JsonObject
}

/** Keeps an EDU, as JSON, until its server took it, or for ever so long ({@link dropOldEdus}); `now` in ms. */
export async function queueEdu(tx: Tx, server: ServerName, edu: string, now: number): Promise<void> {
  await insertRow(tx, 'outgoing_edus', { server_name: server, nid: tx.takeNid(), edu, queued_ts: now })
  tx.touch(topics.waitingFor(server))
}

/** Returns the first EDUs that wait for a server, oldest first. */
export async function waitingEdus(db: Read, server: ServerName, limit: number): Promise<WaitingEdu[]> {
  const rows = await db
    .selectFrom('outgoing_edus')
    .select(['nid', 'edu'])
    .where('server_name', '=', server)
    .orderBy('nid')
    .limit(limit)
    .execute()
  return rows.map(({ nid, edu }) => ({ nid, edu: JSON.parse(edu) as JsonObject }))
}

/** Deletes the queued EDUs of a server up to and including a number, after their delivery. */
export async function dropEdus(tx: Tx, server: ServerName, upTo: Nid): Promise<void> {
  await tx.deleteFrom('outgoing_edus').where('server_name', '=', server).where('nid', '<=', upTo).execute()
}

/** Returns the servers that something waits for. */
export async function serversWaitedFor(db: Read): Promise<ServerName[]> {
  const rows = await db.selectFrom('outgoing_edus').select('server_name').distinct().execute()
  return rows.map((row) => row.server_name)
}

/** Deletes EDUs queued before a time (ms), the oldest first, at most `limit`; returns their number. */
export async function dropOldEdus(tx: Tx, beforeTs: number, limit: number): Promise<number> {
  const rows = await tx
    .selectFrom('outgoing_edus')
    .select(['server_name', 'nid'])
    .where('queued_ts', '<', beforeTs)
    .orderBy('queued_ts')
    .limit(limit)
    .execute()
  const byServer = Map.groupBy(rows, (row) => row.server_name)
  for (const [server, ofServer] of byServer) {
    const nids = ofServer.map((row) => row.nid)
    await tx.deleteFrom('outgoing_edus').where('server_name', '=', server).where('nid', 'in', nids).execute()
  }
  return rows.length
}
