// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto'
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import type { Bytes } from '../schema/schema.ts'

// The stored hash does not authenticate. A token is long and random, so a plain hash cannot be reversed.
const stored = (token: string): Bytes => hash('sha256', token, 'buffer')

/** Stores an OpenID token. */
export async function putOpenIdToken(tx: Tx, token: string, userId: UserId, expiresTs: number): Promise<void> {
  await tx
    .insertInto('openid_tokens')
    .values({ token: stored(token), user_id: userId, expires_ts: expiresTs })
    .execute()
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
