// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** The search index. It is filled by a follower of the log, also with the events that a database has already. */
export const search: Migration = {
  id: 10,
  compatVersion: 9,
  statements: [
    `{with virtual tables}create table search_entries (entry_id {id} primary key, event_nid bigint not null,
      room_nid bigint not null, sender_nid bigint not null)`,
    `{with virtual tables}create virtual table search_index using fts5 (tokens, content='', contentless_delete=1, detail=none,
      tokenize="ascii")`,
    `{with virtual tables}create trigger search_entries_dropped after delete on search_entries begin
      delete from search_index where rowid = old.entry_id; end`,
    `{with inverted indexes}create table search_entries (entry_id {id} primary key, event_nid bigint not null,
      room_nid bigint not null, sender_nid bigint not null, tokens integer[] not null)`,
    `{with inverted indexes}create index search_entries_by_token on search_entries using gin (tokens)
      with (fastupdate = on, gin_pending_list_limit = 1024)`,
    'create unique index search_entries_by_event on search_entries (event_nid)',
    'create table search_due (event_nid {id} primary key)',
  ],
}
