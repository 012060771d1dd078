// SPDX-License-Identifier: Apache-2.0
import type { Migration } from './migration.ts'

/** The index by which application services that were away find the messages to devices of their users. */
export const toDeviceByPosition: Migration = {
  id: 17,
  compatVersion: 16,
  statements: ['create index to_device_by_position on to_device (position)'],
}
