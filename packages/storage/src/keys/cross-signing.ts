// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@myelin/matrix/canonical-json'
import type { UserId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { inChunks } from '../engine/database.ts'
import type { Read, Tx } from '../engine/database.ts'

/** The usage of a cross-signing key: it signs the other two, the user's devices, or other users. */
export type KeyUsage = 'master' | 'self_signing' | 'user_signing'

/** One of a user's cross-signing keys as it was uploaded. */
export interface CrossSigningKey {
  readonly userId: UserId
  readonly usage: KeyUsage
  readonly key: JsonObject
}

/** Returns the cross-signing keys of these users. */
export async function crossSigningKeysOf(db: Read, users: readonly UserId[]): Promise<CrossSigningKey[]> {
  const rows = await inChunks(users, (chunk) =>
    db.selectFrom('cross_signing_keys').selectAll().where('user_id', 'in', chunk).orderBy('user_id').execute(),
  )
  return rows.map((row) => ({
    userId: row.user_id,
    usage: row.usage as KeyUsage,
    key: JSON.parse(row.key) as JsonObject,
  }))
}

/** Puts a cross-signing key in the place of the one the user had. */
export async function putCrossSigningKey(tx: Tx, { userId, usage, key }: CrossSigningKey): Promise<void> {
  const text = canonicalJson(key)
  await tx
    .insertInto('cross_signing_keys')
    .values({ user_id: userId, usage, key: text })
    .onConflict((at) => at.columns(['user_id', 'usage']).doUpdateSet({ key: text }))
    .execute()
}
