// SPDX-License-Identifier: Apache-2.0
import type { Membership } from '@myelin/storage/rooms/members/members'
import type { CachedRoom } from '@myelin/storage/rooms/cached-room'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import type { SyncScope } from '../sync-scope.ts'
import type { Timeline } from '../timeline.ts'

/** A joined room in a slice, with its timeline and state, which several sections need. */
export interface RoomScope {
  readonly scope: SyncScope
  readonly membership: Membership
  readonly room: CachedRoom
  /** The position after which changes are shown; 0 for a room that is new to the client. */
  readonly after: number
  /** The room is new to the client, which then gets everything. */
  readonly isNew: boolean
  /** The client gets the whole state rather than changes. */
  readonly isWhole: boolean
  readonly timeline: Timeline
  readonly state: readonly StoredEvent[]
  /** The sticky events that are new to the client and not in the timeline. */
  readonly sticky: readonly StoredEvent[]
  /** The room's newest events, newest first, if the slice ends where the room does. */
  readonly tail: readonly StoredEvent[] | undefined
}

/** The members that a section adds to a room's entry, and whether they have changes. */
interface RoomPart {
  readonly members: Readonly<Record<string, unknown>>
  readonly hasChanged: boolean
}

/** One part of a joined room's entry. An entry is the list of its sections: see `room-sections.ts`. */
export interface RoomSection {
  read(room: RoomScope): Promise<RoomPart>
}
