// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import type { Bytes } from '../schema/schema.ts'

// The stored hash does not authenticate. A token is long and random, so a plain hash cannot be reversed.
const stored = (token: string): Bytes => hash('sha256', token, 'buffer')

/** The most OpenID tokens of a user that are valid at a time. */
export const MAX_OPENID_TOKENS = 100

/** Stores an OpenID token. Beyond {@link MAX_OPENID_TOKENS}, those that expire first are deleted. */
export async function putOpenIdToken(tx: Tx, token: string, userId: UserId, expiresTs: number): Promise<void> {
  await tx
    .insertInto('openid_tokens')
    .values({ token: stored(token), user_id: userId, expires_ts: expiresTs })
    .execute()
  const surplus = await tx
    .selectFrom('openid_tokens')
    .select('token')
    .where('user_id', '=', userId)
    .orderBy('expires_ts', 'desc')
    .orderBy('token')
    .limit(MAX_OPENID_TOKENS + 10)
    .execute()
  const dropped = surplus.slice(MAX_OPENID_TOKENS).map((row) => row.token)
  if (dropped.length > 0) await tx.deleteFrom('openid_tokens').where('token', 'in', dropped).execute()
}

/** Returns the user of an OpenID token that has not expired. */
export async function openIdUser(db: Read, token: string, now: number): Promise<UserId | undefined> {
  const row = await db
    .selectFrom('openid_tokens')
    .select('user_id')
    .where('token', '=', stored(token))
    .where('expires_ts', '>', now)
    .executeTakeFirst()
  return row?.user_id
}

/** Deletes expired OpenID tokens. */
export async function dropExpiredOpenIdTokens(tx: Tx, now: number): Promise<void> {
  await tx.deleteFrom('openid_tokens').where('expires_ts', '<=', now).execute()
}
