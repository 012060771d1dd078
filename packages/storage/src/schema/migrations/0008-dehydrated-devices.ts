// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** The dehydrated devices of users, and the last change of each profile field. */
export const dehydratedDevices: Migration = {
  id: 8,
  compatVersion: 7,
  statements: [
    `create table dehydrated_devices (user_id text primary key, device_id text not null, device_data text not null) {compact}`,
    `create table profile_changes (user_id text not null, field text not null, position bigint not null,
      primary key (user_id, field)) {compact}`,
    'create index profile_changes_by_position on profile_changes (position)',
  ],
}
