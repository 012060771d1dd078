// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import { serverOf } from '@myelin/matrix/ids'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import type { Caches, StateKeyName } from './caches.ts'
import { inChunks } from './database.ts'
import type { Read, Tx } from './database.ts'
import { insertRow, insertRows, prepared } from './prepared.ts'
import type { Nid } from '../schema/schema.ts'

// The estimated cost of a name that is in memory, or in a row.
const NAME_COST_US = 0.5

/** Fills caches with a value that was read: at once by a reader, after the commit by a write transaction. */
function remember(db: Read | Tx, keep: (caches: Caches) => void): void {
  const { caches } = db
  if ('onCommit' in db) db.onCommit(() => keep(caches))
  else keep(caches)
}

/** Returns the number of a user; undefined for an unknown one. */
export async function userNid(db: Read, userId: UserId): Promise<Nid | undefined> {
  const kept = db.caches.userNids.get(userId)
  if (kept !== undefined) return kept
  const [row] = await userRow(db, userId)
  if (row) remember(db, (caches) => caches.userNids.set(userId, row.user_nid))
  return row?.user_nid
}

const userRow = prepared((db, userId: UserId) =>
  db.selectFrom('users').select('user_nid').where('user_id', '=', userId),
)

/** Returns the numbers of the users that have one. */
export async function userNids(db: Read, userIds: readonly UserId[]): Promise<Map<UserId, Nid>> {
  const nids = new Map<UserId, Nid>()
  const missing = userIds.filter((userId) => {
    const kept = db.caches.userNids.get(userId)
    if (kept !== undefined) nids.set(userId, kept)
    return kept === undefined
  })
  const rows = await inChunks(missing, (chunk) =>
    db.selectFrom('users').selectAll().where('user_id', 'in', chunk).execute(),
  )
  for (const row of rows) nids.set(row.user_id, row.user_nid)
  remember(db, (caches) => rows.forEach((row) => caches.userNids.set(row.user_id, row.user_nid)))
  return nids
}

/** Returns the numbers of users; assigns numbers to users without one. */
export async function internUsers(tx: Tx, userIds: readonly UserId[]): Promise<ReadonlyMap<UserId, Nid>> {
  const nids = await userNids(tx, userIds)
  const fresh = [...new Set(userIds)].filter((userId) => !nids.has(userId))
  for (const userId of fresh) nids.set(userId, tx.takeNid())
  const rows = fresh.map((userId) => ({ user_nid: nids.get(userId) ?? 0, user_id: userId, server: serverOf(userId) }))
  await insertRows(tx, 'users', rows)
  remember(tx, (caches) => rows.forEach((row) => caches.userNids.set(row.user_id, row.user_nid)))
  return nids
}

/** Returns the number of a user; assigns one if the user has none. */
export async function internUser(tx: Tx, userId: UserId): Promise<Nid> {
  const known = await userNid(tx, userId)
  if (known !== undefined) return known
  const nid = tx.takeNid()
  await insertRow(tx, 'users', { user_nid: nid, user_id: userId, server: serverOf(userId) })
  return nid
}

/** Returns the user IDs of numbers. */
export async function userNames(db: Read, nids: readonly Nid[]): Promise<Map<Nid, UserId>> {
  const names = new Map<Nid, UserId>()
  const missing: Nid[] = []
  for (const nid of nids) {
    const kept = db.caches.userNames.get(nid)
    if (kept === undefined) missing.push(nid)
    else names.set(nid, kept)
    const pausing = step(NAME_COST_US)
    if (pausing) await pausing
  }
  const rows = await inChunks(missing, (chunk) =>
    db.selectFrom('users').selectAll().where('user_nid', 'in', chunk).execute(),
  )
  for (const row of rows) {
    names.set(row.user_nid, row.user_id)
    db.caches.userNames.set(row.user_nid, row.user_id)
    const pausing = step(NAME_COST_US)
    if (pausing) await pausing
  }
  return names
}

/** Returns the number of a room; undefined for an unknown one. */
export async function roomNid(db: Read, roomId: RoomId): Promise<Nid | undefined> {
  const kept = db.caches.roomNids.get(roomId)
  if (kept !== undefined) return kept
  const row = await db.selectFrom('rooms').select('room_nid').where('room_id', '=', roomId).executeTakeFirst()
  if (row) remember(db, (caches) => caches.roomNids.set(roomId, row.room_nid))
  return row?.room_nid
}

/** Returns the room IDs of numbers. */
export async function roomNames(db: Read, nids: readonly Nid[]): Promise<Map<Nid, RoomId>> {
  const names = new Map<Nid, RoomId>()
  const missing = nids.filter((nid) => {
    const kept = db.caches.roomNames.get(nid)
    if (kept !== undefined) names.set(nid, kept)
    return kept === undefined
  })
  const rows = await inChunks(missing, (chunk) =>
    db.selectFrom('rooms').select(['room_nid', 'room_id']).where('room_nid', 'in', chunk).execute(),
  )
  for (const row of rows) {
    names.set(row.room_nid, row.room_id)
    db.caches.roomNames.set(row.room_nid, row.room_id)
  }
  return names
}

const keyText = (type: string, stateKey: string) => `${type}\u0000${stateKey}`

/** Returns the number of a state key; undefined if no room has used it. */
export async function keyNid(db: Read, type: string, stateKey: string): Promise<Nid | undefined> {
  const kept = db.caches.keyNids.get(keyText(type, stateKey))
  if (kept !== undefined) return kept
  const [row] = await keyRow(db, type, stateKey)
  if (row) remember(db, (caches) => caches.keyNids.set(keyText(type, stateKey), row.key_nid))
  return row?.key_nid
}

const keyRow = prepared((db, type: string, stateKey: string) =>
  db.selectFrom('state_keys').select('key_nid').where('state_key', '=', stateKey).where('type', '=', type),
)

/** Returns the numbers of state keys of one type, without those that no room has used. */
async function keyNids(db: Read, type: string, stateKeys: readonly string[]): Promise<Map<string, Nid>> {
  const nids = new Map<string, Nid>()
  const missing = stateKeys.filter((stateKey) => {
    const kept = db.caches.keyNids.get(keyText(type, stateKey))
    if (kept !== undefined) nids.set(stateKey, kept)
    return kept === undefined
  })
  const rows = await inChunks(missing, (chunk) =>
    db.selectFrom('state_keys').selectAll().where('state_key', 'in', chunk).where('type', '=', type).execute(),
  )
  for (const row of rows) nids.set(row.state_key, row.key_nid)
  remember(db, (caches) => rows.forEach((row) => caches.keyNids.set(keyText(type, row.state_key), row.key_nid)))
  return nids
}

/** Returns the numbers of state keys of one type; assigns numbers to state keys without one. */
export async function internKeys(
  tx: Tx,
  type: string,
  stateKeys: readonly string[],
): Promise<ReadonlyMap<string, Nid>> {
  const nids = await keyNids(tx, type, stateKeys)
  const fresh = [...new Set(stateKeys)].filter((stateKey) => !nids.has(stateKey))
  for (const stateKey of fresh) nids.set(stateKey, tx.takeNid())
  const rows = fresh.map((stateKey) => ({ key_nid: nids.get(stateKey) ?? 0, type, state_key: stateKey }))
  await insertRows(tx, 'state_keys', rows)
  remember(tx, (caches) => rows.forEach((row) => caches.keyNids.set(keyText(type, row.state_key), row.key_nid)))
  return nids
}

/** Returns the number of a state key; assigns one if it has none. */
export async function internKey(tx: Tx, type: string, stateKey: string): Promise<Nid> {
  const known = await keyNid(tx, type, stateKey)
  if (known !== undefined) return known
  const nid = tx.takeNid()
  await insertRow(tx, 'state_keys', { key_nid: nid, type, state_key: stateKey })
  return nid
}

/** Returns the types and state keys of numbers. */
export async function keyNames(db: Read, nids: readonly Nid[]): Promise<Map<Nid, StateKeyName>> {
  const names = new Map<Nid, StateKeyName>()
  const missing: Nid[] = []
  for (const nid of nids) {
    const kept = db.caches.keyNames.get(nid)
    if (kept === undefined) missing.push(nid)
    else names.set(nid, kept)
    const pausing = step(NAME_COST_US)
    if (pausing) await pausing
  }
  const rows = await inChunks(missing, (chunk) =>
    db.selectFrom('state_keys').selectAll().where('key_nid', 'in', chunk).execute(),
  )
  for (const row of rows) {
    const name = { type: row.type, stateKey: row.state_key }
    names.set(row.key_nid, name)
    db.caches.keyNames.set(row.key_nid, name)
    const pausing = step(NAME_COST_US)
    if (pausing) await pausing
  }
  return names
}

/** Maps rows with their user IDs; leaves out rows of unknown users. */
export async function withUserNames<Row extends { readonly user_nid: Nid }, T>(
  db: Read,
  rows: readonly Row[],
  make: (row: Row, userId: UserId) => T,
): Promise<T[]> {
  const names = await userNames(
    db,
    rows.map((row) => row.user_nid),
  )
  const made: T[] = []
  for (const row of rows) {
    const userId = names.get(row.user_nid)
    if (userId !== undefined) made.push(make(row, userId))
    const pausing = step(NAME_COST_US)
    if (pausing) await pausing
  }
  return made
}

/** Returns whether a user has a number, for example because this server has seen one of their events. */
export async function isKnownUser(db: Read, userId: UserId): Promise<boolean> {
  return (await userNid(db, userId)) !== undefined
}
