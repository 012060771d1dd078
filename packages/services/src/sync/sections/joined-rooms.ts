// SPDX-License-Identifier: Apache-2.0
import { stateRootAt } from '@myelin/storage/rooms/events/events'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { keyNames } from '@myelin/storage/engine/names'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import type { CachedRoom } from '@myelin/storage/rooms/cached-room'
import { stateDifference } from '@myelin/storage/rooms/state/state'
import type { Read } from '@myelin/storage/engine/database'
import { passesRoom } from '../../room-state/event-filter.ts'
import type { RoomScope } from '../room-sections/room-section.ts'
import { roomEntryOf } from '../room-sections/room-sections.ts'
import { cutOverruled, readState } from '../room-state.ts'
import { summaryOf } from '../summary.ts'
import type { SyncScope } from '../sync-scope.ts'
import { timelineOfJoined } from '../timeline.ts'
import { forgetSentMembers } from '../sent-members.ts'
import { unlessEmpty } from './sync-section.ts'
import type { SyncSection } from './sync-section.ts'

/** `rooms.join`: the joined rooms in which something changed; all of them at the first sync. */
export const joinedRoomsSection: SyncSection = {
  path: ['rooms', 'join'],
  unchanged: {},
  async changes(scope) {
    if (scope.slice.since === undefined) forgetSentMembers(scope.db, scope.slice)
    const entries: Record<string, unknown> = {}
    for (const membership of await candidates(scope)) {
      const room = await roomScopeOf(scope, membership)
      const entry = room && (await roomEntryOf(room))
      if (entry) entries[membership.roomId] = entry
    }
    return unlessEmpty(entries)
  },
}

/** Returns the joined rooms that may have changes, without reading the rooms. */
async function candidates(scope: SyncScope): Promise<Membership[]> {
  const { slice, tools } = scope
  const moved = await scope.moved()
  const sticky = (await scope.sticky())?.rooms
  const withAccountData = new Set((await scope.accountData()).map(({ roomId }) => roomId))
  return slice.memberships.filter(({ membership, roomId }) => {
    if (membership !== 'join' || !passesRoom(roomId, slice.request.filter.rooms)) return false
    if (!moved || sticky?.has(roomId) || moved.has(roomId) || withAccountData.has(roomId)) return true
    return tools.typing.changedSince(roomId, slice.since?.typing ?? 0) !== undefined
  })
}

/** Reads timeline and state of a room; returns undefined if the room is not shown to the client yet. */
async function roomScopeOf(scope: SyncScope, membership: Membership): Promise<RoomScope | undefined> {
  const { db, slice, upTo } = scope
  const { roomId } = membership
  const room = await cachedRoom(db, roomId)
  if (!room) return undefined
  const isLazy = slice.request.filter.state.lazyLoadMembers
  // Without lazy loading a room appears once all its members are known; with it, the corrections follow.
  if (!isLazy && (room.isPartial || room.wholePosition > upTo)) return undefined
  const becameWhole = room.wholePosition > scope.after && room.wholePosition <= upTo
  const isNew = slice.since === undefined || membership.position > scope.after || (becameWhole && !isLazy)
  // A room that is new to the client is shown as in an initial sync.
  const after = isNew ? 0 : scope.after
  const isWhole = isNew || slice.request.isFullState || becameWhole
  const { tail, timeline: read } = await timelineOfJoined(db, slice, room, { after, checksVisibility: isNew })
  const place = { roomId, after: isWhole ? undefined : after, end: upTo, tail, lastResolution: room.lastResolution }
  const timeline = await cutOverruled(db, slice, { ...place, timeline: read })
  const inTimeline = new Set(timeline.events.map(({ nid }) => nid))
  const sticky = ((await scope.sticky())?.rooms.get(roomId) ?? []).filter(({ nid }) => !inTimeline.has(nid))
  const state = await readState(db, slice, {
    ...place,
    timeline,
    wantedMembers: [
      ...sticky.map(({ pdu }) => pdu.sender),
      ...(isWhole ? await wantedMembers(scope, room, becameWhole) : []),
    ],
  })
  return { scope, membership, room, after, isNew, isWhole, timeline, state, sticky, tail }
}

async function wantedMembers({ db, slice }: SyncScope, room: CachedRoom, becameWhole: boolean): Promise<string[]> {
  const heroes = (await summaryOf(db, room, slice.user))['m.heroes'] ?? []
  return [slice.user, ...heroes, ...(becameWhole ? await correctedMembers(db, room) : [])]
}

/** Returns the members whose membership differs from what the partial state of the room said. */
async function correctedMembers(db: Read, { id, wholePosition, provisionalRoot }: CachedRoom): Promise<string[]> {
  const changes = await stateDifference(db, provisionalRoot, await stateRootAt(db, id, wholePosition))
  const corrected = changes.filter(({ before }) => before !== undefined)
  const names = await keyNames(
    db,
    corrected.map(({ key }) => key),
  )
  return [...names.values()].flatMap(({ type, stateKey }) => (type === 'm.room.member' ? [stateKey] : []))
}
