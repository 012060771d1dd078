// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { hash } from 'node:crypto'
import type { Read, Tx } from '../engine/database.ts'
import { prepared } from '../engine/prepared.ts'
import { DatabaseCache } from '../engine/cached-reader.ts'
import type { Bytes, Nid, Position } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** The owner of an access token. */
export interface TokenOwner {
  readonly userId: UserId
  readonly deviceId: string
  /** Null: never. */
  readonly expiresTs: number | null
  /** The refresh token that was spent for this one, while it still works. */
  readonly predecessorId: Nid | null
  readonly lastSeenTs: number | null
  readonly isAdmin: boolean
  readonly isGuest: boolean
  readonly isLocked: boolean
}

/** A refresh token that still works. */
export interface RefreshToken {
  readonly refreshId: Nid
  readonly userId: UserId
  readonly deviceId: string
  readonly expiresTs: number | null
  readonly sessionExpiresTs: number | null
  /** The pair it was exchanged for, which is still unused. */
  readonly nextId: Nid | null
  readonly predecessorId: Nid | null
  readonly isLocked: boolean
}

/** Tokens to hand out: an access token, and perhaps the refresh token that goes with it. */
export interface NewTokens {
  readonly userId: UserId
  readonly deviceId: string
  readonly accessToken: string
  readonly expiresTs: number | null
  readonly refresh?: {
    readonly token: string
    readonly expiresTs: number | null
    readonly sessionExpiresTs: number | null
  }
}

// The stored hash does not authenticate. A token is long and random, so a plain hash cannot be reversed.
const stored = (token: string): Bytes => hash('sha256', token, 'buffer')

/** Returns the account and the device of an access token, expired or not. */
export async function tokenOwner(db: Read, token: string): Promise<TokenOwner | undefined> {
  const readAt = db.topicPositions.position
  const name = hash('sha256', token, 'base64')
  const kept = readAt === undefined ? undefined : owners.of(db).get(name)
  if (kept && !db.topicPositions.changedSince(kept.topic, kept.readAt)) return kept.owner
  const [row] = await ownerOf(db, stored(token))
  const owner = row && ownerFrom(row)
  if (owner && readAt !== undefined) owners.of(db).set(name, { readAt, owner, topic: topics.account(owner.userId) })
  return owner
}

type KeptOwner = { readonly readAt: Position; readonly owner: TokenOwner; readonly topic: string }
const owners = new DatabaseCache<KeptOwner>('tokenOwners', 50_000)

type OwnerRow = {
  user_id: UserId
  device_id: string
  expires_ts: number | null
  predecessor_id: Nid | null
  last_seen_ts: number | null
  is_admin: number
  is_guest: number
  is_locked: number
}

function ownerFrom(row: OwnerRow): TokenOwner {
  return {
    userId: row.user_id,
    deviceId: row.device_id,
    expiresTs: row.expires_ts,
    predecessorId: row.predecessor_id,
    lastSeenTs: row.last_seen_ts,
    isAdmin: row.is_admin === 1,
    isGuest: row.is_guest === 1,
    isLocked: row.is_locked === 1,
  }
}

/** Returns the session of a refresh token, expired or not; undefined once its successor was used. */
export async function refreshTokenOf(db: Read, token: string): Promise<RefreshToken | undefined> {
  const row = await db
    .selectFrom('refresh_tokens as held')
    .innerJoin('accounts as account', 'account.user_id', 'held.user_id')
    .leftJoin('refresh_tokens as predecessor', 'predecessor.next_id', 'held.refresh_id')
    .select(['held.refresh_id', 'held.user_id', 'held.device_id', 'held.expires_ts', 'held.session_expires_ts'])
    .select(['held.next_id', 'predecessor.refresh_id as predecessor_id', 'account.is_locked'])
    .where('held.token', '=', stored(token))
    .executeTakeFirst()
  return (
    row && {
      refreshId: row.refresh_id,
      userId: row.user_id,
      deviceId: row.device_id,
      expiresTs: row.expires_ts,
      sessionExpiresTs: row.session_expires_ts,
      nextId: row.next_id,
      predecessorId: row.predecessor_id,
      isLocked: row.is_locked === 1,
    }
  )
}

/** Stores the hashes of a session's tokens; returns the number of the refresh token. */
export async function putTokens(tx: Tx, tokens: NewTokens): Promise<Nid | null> {
  const { refresh } = tokens
  const device = { user_id: tokens.userId, device_id: tokens.deviceId }
  const refreshId = refresh ? tx.takeNid() : null
  if (refresh && refreshId !== null) {
    const lifetime = { expires_ts: refresh.expiresTs, session_expires_ts: refresh.sessionExpiresTs, next_id: null }
    await tx
      .insertInto('refresh_tokens')
      .values({ refresh_id: refreshId, token: stored(refresh.token), ...device, ...lifetime })
      .execute()
  }
  await tx
    .insertInto('access_tokens')
    .values({ token: stored(tokens.accessToken), ...device, expires_ts: tokens.expiresTs, refresh_id: refreshId })
    .execute()
  tx.touch(topics.account(tokens.userId))
  return refreshId
}

/** Records the successor pair of a spent refresh token; both pairs work until the new one is first used. */
export async function putSuccessor(tx: Tx, refreshId: Nid, nextId: Nid): Promise<void> {
  const row = await tx
    .updateTable('refresh_tokens')
    .set({ next_id: nextId })
    .where('refresh_id', '=', refreshId)
    .returning('user_id')
    .executeTakeFirst()
  if (row) tx.touch(topics.account(row.user_id))
}

/** Ends a refresh token and the access tokens handed out with it: its successor was used, or will be replaced. */
export async function spendPredecessor(tx: Tx, refreshId: Nid): Promise<void> {
  const row = await tx
    .deleteFrom('refresh_tokens')
    .where('refresh_id', '=', refreshId)
    .returning(['user_id', 'device_id'])
    .executeTakeFirst()
  if (!row) return
  tx.touch(topics.account(row.user_id))
  await tx
    .deleteFrom('access_tokens')
    .where('user_id', '=', row.user_id)
    .where('device_id', '=', row.device_id)
    .where('refresh_id', '=', refreshId)
    .execute()
}

/** Deletes the expired access tokens of a device. Returns how many there are still. */
export async function dropExpiredTokens(tx: Tx, userId: UserId, deviceId: string, now: number): Promise<number> {
  await tx
    .deleteFrom('access_tokens')
    .where('user_id', '=', userId)
    .where('device_id', '=', deviceId)
    .where('expires_ts', '<=', now)
    .execute()
  tx.touch(topics.account(userId))
  const rows = await tx
    .selectFrom('access_tokens')
    .select('token')
    .where('user_id', '=', userId)
    .where('device_id', '=', deviceId)
    .execute()
  return rows.length
}

/** Ends every token of a device. */
export async function deleteTokens(tx: Tx, userId: UserId, deviceId: string): Promise<void> {
  tx.touch(topics.account(userId))
  for (const table of ['access_tokens', 'refresh_tokens'] as const) {
    await tx.deleteFrom(table).where('user_id', '=', userId).where('device_id', '=', deviceId).execute()
  }
}

const ownerOf = prepared((db, token: Bytes) =>
  db
    .selectFrom('access_tokens as held')
    .innerJoin('accounts as account', 'account.user_id', 'held.user_id')
    .leftJoin('devices as device', (join) =>
      join.onRef('device.user_id', '=', 'held.user_id').onRef('device.device_id', '=', 'held.device_id'),
    )
    .leftJoin('refresh_tokens as predecessor', 'predecessor.next_id', 'held.refresh_id')
    .select(['held.user_id', 'held.device_id', 'held.expires_ts', 'predecessor.refresh_id as predecessor_id'])
    .select(['device.last_seen_ts', 'account.is_admin', 'account.is_guest', 'account.is_locked'])
    .where('held.token', '=', token),
)
