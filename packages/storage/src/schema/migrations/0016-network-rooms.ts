// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** The rooms in the directories of networks that application services bridge. */
export const networkRooms: Migration = {
  id: 16,
  compatVersion: 15,
  statements: [
    `create table network_rooms (service_id text not null, network_id text not null, room_nid bigint not null,
      primary key (service_id, network_id, room_nid))`,
    'create index network_rooms_by_room on network_rooms (room_nid)',
  ],
}
