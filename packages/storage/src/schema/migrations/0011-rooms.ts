// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** Rooms of which guests may have to leave. */
export const rooms: Migration = {
  id: 11,
  compatVersion: 9,
  statements: ['create table owed_guest_checks (room_nid {id} primary key)'],
}
