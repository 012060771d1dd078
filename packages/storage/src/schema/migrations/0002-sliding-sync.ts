// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/**
 * Sliding sync: its connections, and where a room last had an event that moves it up in a client's list. Older versions
 * would not keep the latter up to date, so they are refused.
 */
export const slidingSync: Migration = {
  id: 2,
  statements: [
    'alter table rooms add column bump_position bigint not null default 0',
    // Positions of the timeline are whole and positive; others are history that was fetched later.
    `update rooms set bump_position = coalesce((select max(position) from events where events.room_nid = rooms.room_nid
      and position > 0 and status = 0 and type in ('m.room.create', 'm.room.message', 'm.room.encrypted', 'm.sticker',
      'm.call.invite', 'm.poll.start', 'm.beacon_info')), 0)`,
    `create table sliding_connections (conn_nid {id} primary key, user_id text not null, device_id text not null,
      conn_id text not null, used_ts bigint not null)`,
    'create unique index sliding_connections_by_name on sliding_connections (user_id, device_id, conn_id)',
    'create index sliding_connections_by_age on sliding_connections (used_ts)',
    `create table sliding_steps (conn_nid bigint not null, serial bigint not null, is_whole integer not null,
      step text not null, primary key (conn_nid, serial)) {compact}`,
  ],
}
