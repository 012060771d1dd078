// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** Work that a committed change owes: redactions of a removed user's events, and invites of a new room. An index counts the aliases of a user. */
export const owedWork: Migration = {
  id: 9,
  compatVersion: 8,
  statements: [
    'create table owed_redactions (event_nid {id} primary key, before bigint not null)',
    `create table owed_invites (room_nid bigint not null, user_id text not null, sender text not null,
      is_direct integer not null, due_ts bigint not null, primary key (room_nid, user_id)) {compact}`,
    'create index owed_invites_by_due on owed_invites (due_ts)',
    'create index room_aliases_by_creator on room_aliases (creator)',
  ],
}
