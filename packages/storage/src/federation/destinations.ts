// SPDX-License-Identifier: Apache-2.0
import type { ServerName } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import type { Position } from '../schema/schema.ts'

/** A server that is behind: its position, the time since which it does not answer, and the time of the next try. */
export interface LateDestination {
  readonly server: ServerName
  readonly position: Position
  readonly failingSinceTs: number
  readonly retryTs: number
  readonly intervalMs: number
}

/** Returns every server that has not got everything. */
export async function lateDestinations(db: Read): Promise<LateDestination[]> {
  const rows = await db.selectFrom('destinations').selectAll().execute()
  return rows.map((row) => ({
    server: row.server_name,
    position: row.position,
    failingSinceTs: row.failing_since_ts,
    retryTs: row.retry_ts,
    intervalMs: row.interval_ms,
  }))
}

/** Stores the position up to which a destination that failed before has received everything. */
export async function putLateDestination(tx: Tx, late: LateDestination): Promise<void> {
  const row = {
    position: late.position,
    failing_since_ts: late.failingSinceTs,
    retry_ts: late.retryTs,
    interval_ms: late.intervalMs,
  }
  await tx
    .insertInto('destinations')
    .values({ server_name: late.server, ...row })
    .onConflict((at) => at.column('server_name').doUpdateSet(row))
    .execute()
}

/** Deletes the row of a server that has received everything. */
export async function dropLateDestination(tx: Tx, server: ServerName): Promise<void> {
  await tx.deleteFrom('destinations').where('server_name', '=', server).execute()
}
