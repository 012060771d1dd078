// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** The pushers of users. */
export const pushers: Migration = {
  id: 3,
  compatVersion: 1,
  statements: [
    `create table pushers (pusher_nid bigint primary key, user_id text not null, app_id text not null, pushkey text not null,
      kind text not null, app_display_name text not null, device_display_name text not null, profile_tag text not null,
      lang text not null, data text not null, device_id text not null, is_enabled bigint not null, set_ts bigint not null,
      position bigint not null, late_position bigint not null, failing_since_ts bigint not null, retry_ts bigint not null,
      interval_ms bigint not null)`,
    'create unique index pushers_of_user on pushers (user_id, app_id, pushkey)',
    'create index pushers_by_key on pushers (app_id, pushkey)',
    'create index pushers_by_device on pushers (user_id, device_id)',
    'create index late_pushers on pushers (late_position) where late_position > 0',
  ],
}
