// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** The threads that users subscribed to or unsubscribed from. */
export const threadSubscriptions: Migration = {
  id: 6,
  compatVersion: 5,
  statements: [
    `create table thread_subscriptions (user_id text not null, thread_nid bigint not null, room_nid bigint not null,
      is_subscribed bigint not null, is_automatic bigint not null, position bigint not null, unsubscribed_at bigint not null,
      primary key (user_id, thread_nid)) {compact}`,
    'create index thread_subscriptions_by_position on thread_subscriptions (user_id, position)',
  ],
}
