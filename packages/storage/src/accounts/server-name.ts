// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { Database, Read } from '../engine/database.ts'

const SETTING = 'server_name'

/**
 * Returns the name of the server that a database belongs to; it is `serverName` from the first call on, where the database
 * has none. In a database from before the name was stored it is the one of its accounts.
 */
export async function claimServerName(db: Pick<Database, 'read' | 'write'>, serverName: string): Promise<string> {
  const stored = await db.read.selectFrom('settings').select('value').where('name', '=', SETTING).executeTakeFirst()
  if (stored) return stored.value
  return db.write(async (tx) => {
    // Another node may have been first.
    await tx
      .insertInto('settings')
      .values({ name: SETTING, value: (await nameOfAccounts(tx)) ?? serverName })
      .onConflict((at) => at.column('name').doNothing())
      .execute()
    const row = await tx.selectFrom('settings').select('value').where('name', '=', SETTING).executeTakeFirstOrThrow()
    return row.value
  })
}

/** Returns the server of the first account. */
async function nameOfAccounts(db: Read): Promise<string | undefined> {
  const row = await db.selectFrom('accounts').select('user_id').orderBy('created_ts').limit(1).executeTakeFirst()
  return row && serverOf(row.user_id)
}
