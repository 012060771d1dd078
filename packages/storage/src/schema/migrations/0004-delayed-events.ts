// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** Events that users scheduled for later. */
export const delayedEvents: Migration = {
  id: 4,
  compatVersion: 1,
  statements: [
    `create table delayed_events (delay_id text primary key, user_id text not null, device_id text not null,
      room_id text not null, event_type text not null, state_key text, content text not null, delay_ms bigint not null, sticky_ms bigint not null,
      since_ts bigint not null, due_ts bigint not null)`,
    'create index delayed_events_of_user on delayed_events (user_id, since_ts)',
    'create index delayed_events_by_time on delayed_events (due_ts)',
  ],
}
