// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** The last access to media, by which copies of remote media expire. */
export const mediaAccess: Migration = {
  id: 13,
  compatVersion: 12,
  statements: [
    'alter table media add column last_access_ts bigint not null default 0',
    'update media set last_access_ts = created_ts',
    'create index media_by_access on media (last_access_ts)',
  ],
}
