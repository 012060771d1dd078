// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { cachedReader } from '../engine/cached-reader.ts'
import { touchPushers } from './pushers.ts'
import type { Tables } from '../schema/schema.ts'
import { topics } from '../engine/topics.ts'

/** An account of this server. */
export interface Account {
  readonly userId: UserId
  /** Null: no password logs in. */
  readonly passwordHash: string | null
  readonly createdTs: number
  readonly isAdmin: boolean
  readonly isGuest: boolean
  readonly isDeactivated: boolean
  readonly isErased: boolean
  readonly isLocked: boolean
  readonly isSuspended: boolean
}

/** An account. */
export type NewAccount = Pick<Account, 'userId' | 'passwordHash' | 'createdTs' | 'isAdmin' | 'isGuest'>

/** Returns the account of a user, deactivated ones too. */
export async function accountOf(db: Read, userId: UserId): Promise<Account | undefined> {
  const row = await db.selectFrom('accounts').selectAll().where('user_id', '=', userId).executeTakeFirst()
  return row && accountFrom(row)
}

/** Returns whether an account may only look on. */
export const isSuspended = cachedReader(
  'suspensions',
  50_000,
  (userId: UserId) => topics.account(userId),
  async (db, userId: UserId) => (await accountOf(db, userId))?.isSuspended ?? false,
)

/** Returns whether an account is a guest's. */
export const isGuest = cachedReader(
  'guests',
  50_000,
  (userId: UserId) => topics.account(userId),
  async (db, userId: UserId) => (await accountOf(db, userId))?.isGuest ?? false,
)

/** Returns whether an account is the only one of the server, besides those of guests and of the users that are excluded. */
export async function isOnlyAccount(db: Read, userId: UserId, excluded: readonly UserId[]): Promise<boolean> {
  const rows = await db
    .selectFrom('accounts')
    .select('user_id')
    .where('is_guest', '=', 0)
    .limit(excluded.length + 2)
    .execute()
  return rows.every((row) => row.user_id === userId || excluded.includes(row.user_id))
}

/** Makes a guest's account an ordinary one with a password. Returns false where the account is no guest's. */
export async function upgradeGuest(tx: Tx, userId: UserId, passwordHash: string): Promise<boolean> {
  const row = await tx
    .updateTable('accounts')
    .set({ is_guest: 0, password_hash: passwordHash })
    .where('user_id', '=', userId)
    .where('is_guest', '=', 1)
    .where('is_deactivated', '=', 0)
    .returning('user_id')
    .executeTakeFirst()
  tx.touch(topics.account(userId))
  return row !== undefined
}

/**
 * Returns this server's users who requested erasure when they deactivated their account. Cached until the next erasure.
 */
export function erasedUsers(db: Read): Promise<ReadonlySet<UserId>> {
  return erasedOnce(db, topics.erased)
}

const erasedOnce = cachedReader(
  'erased users',
  1,
  (topic: string) => topic,
  async (db): Promise<ReadonlySet<UserId>> => {
    const rows = await db.selectFrom('accounts').select('user_id').where('is_erased', '=', 1).execute()
    return new Set(rows.map((row) => row.user_id))
  },
)

/** Makes an account; false if there is or was one of that name. */
export async function putAccount(tx: Tx, account: NewAccount): Promise<boolean> {
  const made = await tx
    .insertInto('accounts')
    .values({
      user_id: account.userId,
      password_hash: account.passwordHash,
      created_ts: account.createdTs,
      is_admin: Number(account.isAdmin),
      is_guest: Number(account.isGuest),
      is_deactivated: 0,
      is_erased: 0,
      is_locked: 0,
      is_suspended: 0,
    })
    .onConflict((at) => at.column('user_id').doNothing())
    .returning('user_id')
    .executeTakeFirst()
  tx.touch(topics.account(account.userId))
  return made !== undefined
}

/** Replaces an account's password. */
export async function putPasswordHash(tx: Tx, userId: UserId, passwordHash: string | null): Promise<void> {
  await tx.updateTable('accounts').set({ password_hash: passwordHash }).where('user_id', '=', userId).execute()
  tx.touch(topics.account(userId))
}

const TABLES_OF_AN_ACCOUNT = [
  'openid_tokens',
  'profiles',
  'profile_changes',
  'account_data',
  'filters',
  'push_rules',
  'pushers',
  'delayed_events',
  'delegated_leaves',
  'thread_subscriptions',
  'dehydrated_devices',
  'cross_signing_keys',
  'key_backups',
  'key_backup_sessions',
] as const

/**
 * Deactivates an account for good: deletes its password and private data, and keeps its name taken.
 *
 * An erasure, once requested, ends only where an admin activates the account again.
 */
export async function closeAccount(tx: Tx, userId: UserId, isErased: boolean): Promise<void> {
  await tx
    .updateTable('accounts')
    .set({ password_hash: null, is_deactivated: 1, ...(isErased ? { is_erased: 1 } : {}) })
    .where('user_id', '=', userId)
    .execute()
  tx.touch(topics.account(userId))
  touchPushers(tx, userId)
  if (isErased) tx.touch(topics.erased)
  // Account data is read by the user's syncs.
  tx.touch(userId)
  for (const table of TABLES_OF_AN_ACCOUNT) await tx.deleteFrom(table).where('user_id', '=', userId).execute()
}

/** Locks an account, or unlocks it. */
export async function putLocked(tx: Tx, userId: UserId, isLocked: boolean): Promise<void> {
  await tx
    .updateTable('accounts')
    .set({ is_locked: Number(isLocked) })
    .where('user_id', '=', userId)
    .execute()
  tx.touch(topics.account(userId))
}

/** Makes an account a server admin's, or an ordinary one. */
export async function putAdmin(tx: Tx, userId: UserId, isAdmin: boolean): Promise<void> {
  await tx
    .updateTable('accounts')
    .set({ is_admin: Number(isAdmin) })
    .where('user_id', '=', userId)
    .execute()
  tx.touch(topics.account(userId))
}

/** Makes a deactivated account an active one without a password, and ends its erasure. Deleted data stay deleted. */
export async function reopenAccount(tx: Tx, userId: UserId): Promise<void> {
  await tx.updateTable('accounts').set({ is_deactivated: 0, is_erased: 0 }).where('user_id', '=', userId).execute()
  tx.touch(topics.account(userId))
  tx.touch(topics.erased)
}

/** Suspends an account, or lets it act again. */
export async function putSuspended(tx: Tx, userId: UserId, isSuspended: boolean): Promise<void> {
  await tx
    .updateTable('accounts')
    .set({ is_suspended: Number(isSuspended) })
    .where('user_id', '=', userId)
    .execute()
  tx.touch(topics.account(userId))
}

/** Returns the account of a row. */
export function accountFrom(row: Tables['accounts']): Account {
  return {
    userId: row.user_id,
    passwordHash: row.password_hash,
    createdTs: row.created_ts,
    isAdmin: row.is_admin === 1,
    isGuest: row.is_guest === 1,
    isDeactivated: row.is_deactivated === 1,
    isErased: row.is_erased === 1,
    isLocked: row.is_locked === 1,
    isSuspended: row.is_suspended === 1,
  }
}
