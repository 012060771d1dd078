// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { cachedReader } from '../engine/cached-reader.ts'
import type { Read, Tx } from '../engine/database.ts'
import { insertRow, prepared } from '../engine/prepared.ts'
import { topics } from '../engine/topics.ts'
import type { Nid } from '../schema/schema.ts'

/** A sliding-sync connection of a device. A device has one for each `connId`. */
export interface SlidingConnection {
  readonly nid: Nid
  readonly deviceId: string
  readonly connId: string
  /** The time of the last use, in milliseconds; up to a day behind. */
  readonly usedTs: number
}

/** A change of what a connection was sent, as JSON. A whole one replaces all before it. */
export interface SlidingStep {
  readonly serial: Nid
  readonly isWhole: boolean
  readonly step: string
}

/** The place of a new step: after which one, and from where on steps are still needed. */
export interface StepPlace {
  readonly nid: Nid
  readonly after: Nid
  /** The whole step from which the state at `after` is read: no older one is needed. */
  readonly keptFrom: Nid
}

/** A device keeps this many connections; the one that was not used for longest goes first. */
const MAX_CONNECTIONS = 10

/** Returns a user's connections, cached until one is made or dropped. */
export const slidingConnectionsOf: (db: Read, user: UserId) => Promise<readonly SlidingConnection[]> = cachedReader(
  'slidingConnections',
  20_000,
  topics.sliding,
  async (db, user: UserId) => {
    const rows = await rowsOfUser(db, user)
    return rows.map((row) => ({
      nid: row.conn_nid,
      deviceId: row.device_id,
      connId: row.conn_id,
      usedTs: row.used_ts,
    }))
  },
)

const rowsOfUser = prepared((db, user: UserId) =>
  db.selectFrom('sliding_connections').selectAll().where('user_id', '=', user),
)

/** Makes a connection in place of the device's one of the same name, with its first step; returns both their numbers. */
export async function putSlidingConnection(
  tx: Tx,
  user: UserId,
  connection: Omit<SlidingConnection, 'nid'>,
  step: string,
): Promise<{ readonly nid: Nid; readonly serial: Nid }> {
  const { deviceId, connId, usedTs } = connection
  const rows = (await rowsOfUser(tx, user)).filter((row) => row.device_id === deviceId)
  const others = rows.filter((row) => row.conn_id !== connId).toSorted((a, b) => b.used_ts - a.used_ts)
  const surplus = others.slice(MAX_CONNECTIONS - 1)
  await dropByNid(
    tx,
    [...rows.filter((row) => row.conn_id === connId), ...surplus].map((row) => row.conn_nid),
  )
  const [nid, serial] = [tx.takeNid(), tx.takeNid()]
  await insertRow(tx, 'sliding_connections', {
    conn_nid: nid,
    user_id: user,
    device_id: deviceId,
    conn_id: connId,
    used_ts: usedTs,
  })
  await insertRow(tx, 'sliding_steps', { conn_nid: nid, serial, is_whole: 1, step })
  tx.touch(topics.sliding(user))
  return { nid, serial }
}

/**
 * Adds a step after another one, and drops those after it (their answers were lost) and those no longer needed. Returns its
 * number; undefined where the connection or the step before is gone.
 */
export async function putSlidingStep(
  tx: Tx,
  { nid, after, keptFrom }: StepPlace,
  { step, isWhole }: Omit<SlidingStep, 'serial'>,
): Promise<Nid | undefined> {
  const steps = await serialsOf(tx, nid)
  if (!steps.some(({ serial }) => serial === after)) return undefined
  if (steps.some(({ serial }) => serial > after || serial < keptFrom))
    await tx
      .deleteFrom('sliding_steps')
      .where('conn_nid', '=', nid)
      .where((row) => row.or([row('serial', '>', after), row('serial', '<', keptFrom)]))
      .execute()
  const serial = tx.takeNid()
  await insertRow(tx, 'sliding_steps', { conn_nid: nid, serial, is_whole: isWhole ? 1 : 0, step })
  return serial
}

const serialsOf = prepared((db, nid: Nid) =>
  db.selectFrom('sliding_steps').select('serial').where('conn_nid', '=', nid),
)

/** Returns the steps up to one, oldest first, from the last whole one on; none where that step is not there. */
export async function slidingStepsUpTo(db: Read, nid: Nid, serial: Nid): Promise<readonly SlidingStep[]> {
  const rows = await stepsUpTo(db, nid, serial)
  if (rows.at(-1)?.serial !== serial) return []
  const first = rows.findLastIndex((row) => row.is_whole === 1)
  return rows.slice(first).map((row) => ({ serial: row.serial, isWhole: row.is_whole === 1, step: row.step }))
}

const stepsUpTo = prepared((db, nid: Nid, serial: Nid) =>
  db
    .selectFrom('sliding_steps')
    .selectAll()
    .where('conn_nid', '=', nid)
    .where('serial', '<=', serial)
    .orderBy('serial'),
)

/** Records that a connection of a user is in use. */
export async function touchSlidingConnection(tx: Tx, user: UserId, nid: Nid, usedTs: number): Promise<void> {
  await tx.updateTable('sliding_connections').set({ used_ts: usedTs }).where('conn_nid', '=', nid).execute()
  tx.touch(topics.sliding(user))
}

/** Drops all connections of a device. */
export async function dropSlidingConnections(tx: Tx, user: UserId, deviceId: string): Promise<void> {
  const rows = (await rowsOfUser(tx, user)).filter((row) => row.device_id === deviceId)
  if (rows.length === 0) return
  await dropByNid(
    tx,
    rows.map((row) => row.conn_nid),
  )
  tx.touch(topics.sliding(user))
}

/** Drops connections that were not used since a time, some at a time; returns their number. */
export async function dropUnusedConnections(tx: Tx, usedBeforeTs: number, limit: number): Promise<number> {
  const rows = await tx
    .selectFrom('sliding_connections')
    .select(['conn_nid', 'user_id'])
    .where('used_ts', '<', usedBeforeTs)
    .limit(limit)
    .execute()
  await dropByNid(
    tx,
    rows.map((row) => row.conn_nid),
  )
  for (const row of rows) tx.touch(topics.sliding(row.user_id))
  return rows.length
}

async function dropByNid(tx: Tx, nids: readonly Nid[]): Promise<void> {
  if (nids.length === 0) return
  await tx.deleteFrom('sliding_steps').where('conn_nid', 'in', nids).execute()
  await tx.deleteFrom('sliding_connections').where('conn_nid', 'in', nids).execute()
}
