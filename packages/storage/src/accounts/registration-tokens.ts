// SPDX-License-Identifier: Apache-2.0
import type { Read, Tx } from '../engine/database.ts'

/** A registration token. */
export interface RegistrationToken {
  readonly token: string
  /** The number of accounts that may be registered with it; undefined without a limit. */
  readonly usesAllowed: number | undefined
  /** The sessions that have used it and have not registered an account yet. */
  readonly pending: number
  /** The accounts that were registered with it. */
  readonly completed: number
  /** The time (ms) after which it is not valid; undefined: never. */
  readonly expiresTs: number | undefined
}

/** The limits of a token that can be changed. */
export type TokenLimits = Pick<RegistrationToken, 'usesAllowed' | 'expiresTs'>

/** Returns whether a token can be used at a time (ms). */
export function isUsable({ usesAllowed, pending, completed, expiresTs }: RegistrationToken, now: number): boolean {
  return (
    (usesAllowed === undefined || pending + completed < usesAllowed) && (expiresTs === undefined || now <= expiresTs)
  )
}

/** Returns a token; sessions that began at or before `sinceTs` are not pending. */
export async function registrationToken(
  db: Read,
  token: string,
  sinceTs: number,
): Promise<RegistrationToken | undefined> {
  const row = await db.selectFrom('registration_tokens').selectAll().where('token', '=', token).executeTakeFirst()
  if (!row) return undefined
  const uses = await db
    .selectFrom('registration_token_uses')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('token', '=', token)
    .where('created_ts', '>', sinceTs)
    .executeTakeFirst()
  return tokenOf(row, Number(uses?.count ?? 0))
}

/** Returns all tokens in alphabetical order; sessions that began at or before `sinceTs` are not pending. */
export async function registrationTokens(db: Read, sinceTs: number): Promise<RegistrationToken[]> {
  const rows = await db.selectFrom('registration_tokens').selectAll().orderBy('token').execute()
  const uses = await db
    .selectFrom('registration_token_uses')
    .select(({ fn }) => ['token', fn.countAll<number>().as('count')])
    .where('created_ts', '>', sinceTs)
    .groupBy('token')
    .execute()
  const pending = new Map(uses.map(({ token, count }) => [token, Number(count)]))
  return rows.map((row) => tokenOf(row, pending.get(row.token) ?? 0))
}

function tokenOf(
  row: { token: string; uses_allowed: number | null; completed: number; expires_ts: number | null },
  pending: number,
): RegistrationToken {
  const { token, completed } = row
  return {
    token,
    usesAllowed: row.uses_allowed ?? undefined,
    pending,
    completed,
    expiresTs: row.expires_ts ?? undefined,
  }
}

/** Stores a new or a changed token. Its uses stay. */
export async function putRegistrationToken(tx: Tx, token: string, limits: TokenLimits): Promise<void> {
  const columns = { uses_allowed: limits.usesAllowed ?? null, expires_ts: limits.expiresTs ?? null }
  await tx
    .insertInto('registration_tokens')
    .values({ token, completed: 0, ...columns })
    .onConflict((at) => at.column('token').doUpdateSet(columns))
    .execute()
}

/** Deletes a token with its pending uses. */
export async function deleteRegistrationToken(tx: Tx, token: string): Promise<void> {
  await tx.deleteFrom('registration_tokens').where('token', '=', token).execute()
  await tx.deleteFrom('registration_token_uses').where('token', '=', token).execute()
}

/** Records that a session uses a token, until the session ends or registers an account. */
export async function putTokenUse(
  tx: Tx,
  use: { readonly session: string; readonly token: string; readonly createdTs: number },
): Promise<void> {
  const { session, token, createdTs } = use
  await tx
    .insertInto('registration_token_uses')
    .values({ session, token, created_ts: createdTs })
    .onConflict((at) => at.column('session').doUpdateSet({ token }))
    .execute()
}

/** Turns the pending use of a session into a completed one. Does nothing for sessions without a token. */
export async function completeTokenUse(tx: Tx, session: string): Promise<void> {
  const use = await tx
    .selectFrom('registration_token_uses')
    .select('token')
    .where('session', '=', session)
    .executeTakeFirst()
  if (!use) return
  await tx.deleteFrom('registration_token_uses').where('session', '=', session).execute()
  await tx
    .updateTable('registration_tokens')
    .set(({ eb }) => ({ completed: eb('completed', '+', 1) }))
    .where('token', '=', use.token)
    .execute()
}

/** Deletes the pending uses of sessions that began at or before a time (ms). */
export async function deleteTokenUsesBefore(tx: Tx, ts: number): Promise<void> {
  await tx.deleteFrom('registration_token_uses').where('created_ts', '<=', ts).execute()
}
