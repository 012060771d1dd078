// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { Read, Tx } from './database.ts'
import { insertRow } from './prepared.ts'
import type { Nid } from './schema.ts'

/** An event another server sent and we acknowledged, not judged yet. `pdu` is its JSON text, numbers spelled as they came. */
export interface StagedPdu {
  readonly nid: Nid
  readonly origin: ServerName
  readonly roomId: RoomId
  readonly pdu: string
}

/** Keeps an event until it is judged. */
export async function stagePdu(tx: Tx, staged: Omit<StagedPdu, 'nid'>, receivedTs: number): Promise<void> {
  const { origin, roomId, pdu } = staged
  const row = { staged_nid: tx.takeNid(), origin, room_id: roomId, pdu, received_ts: receivedTs }
  await insertRow(tx, 'staged_pdus', row)
}

/** The oldest events that wait in a room. */
export async function stagedPdus(db: Read, roomId: RoomId, limit: number): Promise<StagedPdu[]> {
  const rows = await db
    .selectFrom('staged_pdus')
    .selectAll()
    .where('room_id', '=', roomId)
    .orderBy('staged_nid')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ nid: row.staged_nid, origin: row.origin, roomId: row.room_id, pdu: row.pdu }))
}

/** The rooms in which events wait. */
export async function roomsWithStagedPdus(db: Read): Promise<RoomId[]> {
  const rows = await db.selectFrom('staged_pdus').select('room_id').distinct().execute()
  return rows.map((row) => row.room_id)
}

/** Lets go of events that were judged. */
export async function unstagePdus(tx: Tx, nids: readonly Nid[]): Promise<void> {
  if (nids.length > 0) await tx.deleteFrom('staged_pdus').where('staged_nid', 'in', nids).execute()
}
