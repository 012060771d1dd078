// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** Events that are sticky. */
export const stickyEvents: Migration = {
  id: 7,
  compatVersion: 1,
  statements: [
    `create table sticky_events (event_nid bigint primary key, room_nid bigint not null, sender_nid bigint not null,
      position bigint not null, ends_ts bigint not null)`,
    'create index sticky_events_of_room on sticky_events (room_nid, position)',
    'create index sticky_events_by_position on sticky_events (position)',
    'create index sticky_events_by_end on sticky_events (ends_ts)',
  ],
}
