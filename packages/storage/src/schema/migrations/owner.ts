// SPDX-License-Identifier: Apache-2.0
import { serverOf } from '@myelin/matrix/ids'
import type { UserId } from '@myelin/matrix/ids'
import { DatabaseRefused } from './pending.ts'

/** A database that belongs to a server of another name. Nothing was written. */
export class ForeignDatabase extends DatabaseRefused {
  override readonly name = 'ForeignDatabase'
  /** The name of the server that the database belongs to. */
  readonly owner: string

  constructor(owner: string) {
    super(`the database belongs to ${owner}`)
    this.owner = owner
  }
}

/** Reads the stored server name and the user ID of the first account. It works on every schema from 0001 on. */
export const READ_OWNER = `select (select value from settings where name = 'server_name') as stored,
  (select user_id from accounts order by created_ts limit 1) as account`

/** The row of {@link READ_OWNER}. A database from before the name was stored belongs to the server of its accounts. */
export interface OwnerRow {
  readonly stored: string | null
  readonly account: UserId | null
}

/**
 * Checks that a database belongs to a server, or to none yet.
 *
 * @throws {ForeignDatabase} if it belongs to another one
 */
export function refuseOtherOwner({ stored, account }: OwnerRow, serverName: string): void {
  const owner = stored ?? (account === null ? undefined : serverOf(account))
  if (owner !== undefined && owner !== serverName) throw new ForeignDatabase(owner)
}
