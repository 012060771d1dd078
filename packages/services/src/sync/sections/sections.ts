// SPDX-License-Identifier: Apache-2.0
import { accountDataSection } from './account-data.ts'
import { deviceListsSection } from './device-lists.ts'
import { joinedRoomsSection } from './joined-rooms.ts'
import { fallbackKeysSection, oneTimeKeysSection } from './key-counts.ts'
import { leftRoomsSection } from './left-rooms.ts'
import { invitedRoomsSection, knockedRoomsSection } from './offered-rooms.ts'
import { presenceSection } from './presence.ts'
import { profilesSection } from './profiles.ts'
import type { SyncSection } from './sync-section.ts'
import { toDeviceSection } from './to-device.ts'

/**
 * The sections of a `/sync` response, in the order in which they are read.
 *
 * Whether a response is empty follows from this list. A new section is one file and one line here.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync
 */
export const SYNC_SECTIONS: readonly SyncSection[] = [
  joinedRoomsSection,
  invitedRoomsSection,
  knockedRoomsSection,
  leftRoomsSection,
  accountDataSection,
  toDeviceSection,
  deviceListsSection,
  presenceSection,
  profilesSection,
  oneTimeKeysSection,
  fallbackKeysSection,
]
