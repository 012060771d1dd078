// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** Delayed events that are sent when a participant leaves a call. */
export const delegatedLeaves: Migration = {
  id: 5,
  compatVersion: 4,
  statements: [
    `create table delegated_leaves (delay_id text primary key, user_id text not null, livekit_room text not null,
      identity text not null, created_ts bigint not null, is_seen bigint not null)`,
    'create index delegated_leaves_of_user on delegated_leaves (user_id)',
  ],
}
