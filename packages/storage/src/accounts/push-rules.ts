// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { prepared } from '../engine/prepared.ts'
import { cachedReader } from '../engine/cached-reader.ts'
import type { Position } from '../schema/schema.ts'

/** Returns a user's changes to the default push rules, as JSON; undefined where there are none. */
export async function storedPushRules(db: Read, user: UserId): Promise<string | undefined> {
  return (await rowOnce(db, user))?.rules
}

/** Returns where a user's rules last changed. */
export async function pushRulesPosition(db: Read, user: UserId): Promise<Position> {
  return (await rowOnce(db, user))?.position ?? 0
}

/** Stores a user's changes to the push rules, and wakes their devices. */
export async function putPushRules(tx: Tx, user: UserId, rules: string): Promise<void> {
  const moved = { rules, position: tx.takePosition() }
  await tx
    .insertInto('push_rules')
    .values({ user_id: user, ...moved })
    .onConflict((at) => at.column('user_id').doUpdateSet(moved))
    .execute()
  tx.touch(user)
}

const rowOf = prepared((db, user: UserId) => db.selectFrom('push_rules').selectAll().where('user_id', '=', user))

const rowOnce = cachedReader(
  'pushRules',
  10_000,
  (user: UserId) => user,
  async (db, user: UserId) => (await rowOf(db, user))[0],
)
