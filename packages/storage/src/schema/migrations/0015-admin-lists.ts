// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** The order of accounts by their creation, for lists of admins. */
export const adminLists: Migration = {
  id: 15,
  compatVersion: 13,
  statements: ['create index accounts_by_creation on accounts (created_ts, user_id)'],
}
