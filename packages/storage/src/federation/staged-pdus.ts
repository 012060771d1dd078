// SPDX-License-Identifier: Apache-2.0
import type { RoomId, ServerName } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { insertRow, prepared } from '../engine/prepared.ts'
import type { Nid } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** An event another server sent and we acknowledged, not judged yet. `pdu` is its JSON text, numbers spelled as they came. */
export interface StagedPdu {
  readonly nid: Nid
  readonly origin: ServerName
  readonly roomId: RoomId
  readonly pdu: string
  /** The number of failed attempts to process it. */
  readonly tries: number
}

/** The `retry_ts` of PDUs without an attempt. */
const UNTRIED = 0

/** Keeps an event until it is judged. */
export async function stagePdu(
  tx: Tx,
  { origin, roomId, pdu }: Pick<StagedPdu, 'origin' | 'roomId' | 'pdu'>,
  receivedTs: number,
): Promise<void> {
  const untried = { tries: 0, retry_ts: UNTRIED }
  const row = { staged_nid: tx.takeNid(), origin, room_id: roomId, pdu, received_ts: receivedTs, ...untried }
  await insertRow(tx, 'staged_pdus', row)
}

/**
 * Returns the oldest staged PDUs of a room, without those whose next attempt is after a time. PDUs that failed before
 * come last, so that new ones do not wait behind them.
 */
export async function stagedPdus(db: Read, roomId: RoomId, dueTs: number, limit: number): Promise<StagedPdu[]> {
  return (await oldestIn(db, roomId, dueTs, limit)).map((row) => ({
    nid: row.staged_nid,
    origin: row.origin,
    roomId: row.room_id,
    pdu: row.pdu,
    tries: row.tries,
  }))
}

const oldestIn = prepared((db, roomId: RoomId, dueTs: number, limit: number) =>
  db
    .selectFrom('staged_pdus')
    .selectAll()
    .where('room_id', '=', roomId)
    .where('retry_ts', '<=', dueTs)
    .orderBy('tries')
    .orderBy('staged_nid')
    .limit(limit),
)

/**
 * Postpones PDUs that could not be processed to a time (ms). Deletes those that have had the maximum number of
 * attempts.
 */
export async function holdPdus(tx: Tx, nids: readonly Nid[], retryTs: number, mostTries: number): Promise<void> {
  if (nids.length === 0) return
  await tx
    .updateTable('staged_pdus')
    .set((row) => ({ tries: row('tries', '+', 1), retry_ts: retryTs }))
    .where('staged_nid', 'in', nids)
    .execute()
  await tx.deleteFrom('staged_pdus').where('staged_nid', 'in', nids).where('tries', '>=', mostTries).execute()
  tx.touch(topics.unstaged)
}

/** Returns how many events of a server are held, and how many in all; counts no further than the limits. */
export async function heldOf(
  db: Read,
  origin: ServerName,
  most: { readonly own: number; readonly all: number },
): Promise<{ readonly own: number; readonly all: number }> {
  const [[own], [all]] = await Promise.all([countHeldOf(db, origin, most.own), countHeld(db, most.all)])
  return { own: own?.rows ?? 0, all: all?.rows ?? 0 }
}

const countHeldOf = prepared((db, origin: ServerName, most: number) =>
  db
    .selectFrom(
      db
        .selectFrom('staged_pdus')
        .select('tries')
        .where('origin', '=', origin)
        .where('tries', '>', 0)
        .limit(most)
        .as('some'),
    )
    .select((row) => row.fn.countAll<number>().as('rows')),
)

const countHeld = prepared((db, most: number) =>
  db
    .selectFrom(db.selectFrom('staged_pdus').select('retry_ts').where('retry_ts', '>', UNTRIED).limit(most).as('some'))
    .select((row) => row.fn.countAll<number>().as('rows')),
)

/** Returns the time of the first attempt that is due after a time; undefined if there is none. */
export async function nextRetry(db: Read, afterTs: number): Promise<number | undefined> {
  return (await firstAfter(db, afterTs))[0]?.retry_ts
}

const firstAfter = prepared((db, afterTs: number) =>
  db.selectFrom('staged_pdus').select('retry_ts').where('retry_ts', '>', afterTs).orderBy('retry_ts').limit(1),
)

/** Returns how many events wait in a room; counts no further than the limit. */
export async function stagedCount(db: Read, roomId: RoomId, limit: number): Promise<number> {
  const rows = await db
    .selectFrom('staged_pdus')
    .select('staged_nid')
    .where('room_id', '=', roomId)
    .limit(limit)
    .execute()
  return rows.length
}

/**
 * Returns the number of staged PDUs of a server, and of all servers, without those that wait for another attempt. Stops
 * counting near 2,000 and 20,000.
 */
export async function stagedOf(db: Read, origin: ServerName): Promise<{ readonly own: number; readonly all: number }> {
  const [[own], [all]] = await Promise.all([countOf(db, origin), countAll(db)])
  return { own: own?.rows ?? 0, all: all?.rows ?? 0 }
}

const countOf = prepared((db, origin: ServerName) =>
  db
    .selectFrom(
      db
        .selectFrom('staged_pdus')
        .select('tries')
        .where('origin', '=', origin)
        .where('tries', '=', 0)
        .limit(2_000)
        .as('some'),
    )
    .select((row) => row.fn.countAll<number>().as('rows')),
)

const countAll = prepared((db) =>
  db
    .selectFrom(
      db.selectFrom('staged_pdus').select('retry_ts').where('retry_ts', '=', UNTRIED).limit(20_000).as('some'),
    )
    .select((row) => row.fn.countAll<number>().as('rows')),
)

/**
 * Returns the rooms with staged PDUs that are due at a time, without rooms with a join in progress that began after
 * another time.
 */
export async function roomsWithStagedPdus(db: Read, dueTs: number, underWaySinceTs: number): Promise<RoomId[]> {
  return (await dueRooms(db, dueTs, underWaySinceTs)).map((row) => row.room_id)
}

const dueRooms = prepared((db, dueTs: number, underWaySinceTs: number) =>
  db
    .selectFrom('staged_pdus')
    // By the bare column SQLite would go through all that waits, in the order of the rooms.
    .select((row) =>
      row('room_id', '||', '' as RoomId)
        .$castTo<RoomId>()
        .as('room_id'),
    )
    .distinct()
    .where('retry_ts', '<=', dueTs)
    .where((row) =>
      row.not(
        row.exists(
          row
            .selectFrom('joins_under_way')
            .select('join_nid')
            .whereRef('joins_under_way.room_id', '=', 'staged_pdus.room_id')
            .where('since_ts', '>=', underWaySinceTs),
        ),
      ),
    ),
)

/** Deletes all staged PDUs of a room. */
export async function unstageRoom(tx: Tx, roomId: RoomId): Promise<void> {
  await tx.deleteFrom('staged_pdus').where('room_id', '=', roomId).execute()
  tx.touch(topics.unstaged)
}

/** Deletes staged PDUs that were processed. */
export async function unstagePdus(tx: Tx, nids: readonly Nid[]): Promise<void> {
  if (nids.length === 0) return
  await tx.deleteFrom('staged_pdus').where('staged_nid', 'in', nids).execute()
  tx.touch(topics.unstaged)
}
