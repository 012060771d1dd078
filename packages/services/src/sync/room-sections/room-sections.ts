// SPDX-License-Identifier: Apache-2.0
import { roomAccountDataSection } from './account-data.ts'
import { ephemeralSection } from './ephemeral.ts'
import { eventsSection } from './events.ts'
import type { RoomScope, RoomSection } from './room-section.ts'
import { stickySection } from './sticky.ts'
import { summarySection } from './summary.ts'
import { unreadSection } from './unread.ts'

/** The sections of a joined room's entry, in the order in which they are read. */
const ROOM_SECTIONS: readonly RoomSection[] = [
  eventsSection,
  stickySection,
  ephemeralSection,
  roomAccountDataSection,
  summarySection,
  unreadSection,
]

/** Returns a joined room's entry; undefined where no section has changes and the client knows the room. */
export async function roomEntryOf(room: RoomScope): Promise<Readonly<Record<string, unknown>> | undefined> {
  const members: Record<string, unknown> = {}
  let hasChanged = room.isWhole
  for (const section of ROOM_SECTIONS) {
    const part = await section.read(room)
    Object.assign(members, part.members)
    hasChanged ||= part.hasChanged
  }
  return hasChanged ? members : undefined
}
