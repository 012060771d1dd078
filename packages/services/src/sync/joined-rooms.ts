// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { RoomId } from '@myelin/matrix/ids'
import type { JsonObject } from '@myelin/matrix/json'
import { accountDataOfRoom } from '@myelin/storage/accounts/account-data'
import type { Read } from '@myelin/storage/engine/database'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { roomTail, stateRootAt } from '@myelin/storage/rooms/events/events'
import { keyNames } from '@myelin/storage/engine/names'
import { cachedRoom } from '@myelin/storage/rooms/cached-room'
import type { CachedRoom } from '@myelin/storage/rooms/cached-room'
import { stateDifference } from '@myelin/storage/rooms/state/state'
import { passesRoom, passesType } from '../room-state/event-filter.ts'
import { newestGap } from '@myelin/storage/rooms/events/outliers'
import { printPosition } from '../room-state/page-token.ts'
import { renderEvents } from '../reading/render.ts'
import type { View } from '../reading/view.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { readEphemeral } from './ephemeral.ts'
import { readState, rootAt } from './room-state.ts'
import { summaryOf } from './summary.ts'
import type { Slice } from './sync-request.ts'
import { readTimeline } from './timeline.ts'
import type { Timeline } from './timeline.ts'
import { unreadOf } from './unread.ts'

type Needs = Pick<Runtime, 'typing'>

/** A room's part of the answer, and what it says about who came and went. */
export interface RoomChange {
  readonly roomId: RoomId
  readonly body: Readonly<Record<string, unknown>>
  readonly isNewlyJoined: boolean
}

/** The joined rooms in which something happened; all of them at the first sync. */
export async function joinedRooms(
  rt: Needs,
  db: Read,
  slice: Slice,
  {
    moved,
    accountData,
  }: {
    readonly moved: ReadonlySet<RoomId> | undefined
    readonly accountData: ReadonlyMap<string, readonly JsonObject[]>
  },
): Promise<RoomChange[]> {
  const joined = slice.memberships.filter(
    ({ membership, roomId }) => membership === 'join' && passesRoom(roomId, slice.request.filter.rooms),
  )
  const changes: RoomChange[] = []
  for (const membership of joined) {
    const { roomId } = membership
    const isTyping = rt.typing.changedSince(roomId, slice.since?.typing ?? 0) !== undefined
    if (moved && !moved.has(roomId) && !isTyping && !accountData.has(roomId)) continue
    const change = await joinedRoom(rt, db, slice, { membership, accountData: accountData.get(roomId) ?? [] })
    if (change) changes.push(change)
  }
  return changes
}

type RoomInput = { readonly membership: Membership; readonly accountData: readonly JsonObject[] }

async function joinedRoom(
  rt: Needs,
  db: Read,
  slice: Slice,
  { membership, accountData }: RoomInput,
): Promise<RoomChange | undefined> {
  const { roomId } = membership
  const room = await cachedRoom(db, roomId)
  if (!room) return undefined
  const { lastResolution } = room
  const upTo = slice.upTo.position
  const since = slice.since?.position ?? 0
  const isLazy = slice.request.filter.state.lazyLoadMembers
  // Who wants all members is told of a room when they are known; who does not, of what turns out to be different.
  if (!isLazy && (room.isPartial || room.wholePosition > upTo)) return undefined
  const becameWhole = room.wholePosition > since && room.wholePosition <= upTo
  const isNew = slice.since === undefined || membership.position > since || (becameWhole && !isLazy)
  // A room that is new to the client is told from the beginning, like at the first sync.
  const after = isNew ? 0 : since
  const tail = room.lastPosition <= upTo ? await roomTail(db, roomId, room.lastPosition) : undefined
  const hole = room.lastGap > after ? await newestGap(db, roomId, after, upTo) : undefined
  const timeline = await readTimeline(db, slice, { roomId, after, upTo, checksVisibility: isNew, tail, hole })
  const isWhole = isNew || slice.request.isFullState || becameWhole
  const heroes = isWhole ? (await summaryOf(db, room, slice.user))['m.heroes'] : undefined
  const state = await readState(db, slice, {
    roomId,
    after: isWhole ? undefined : after,
    timeline,
    end: upTo,
    tail,
    lastResolution,
    wantedMembers: isWhole
      ? [slice.user, ...(heroes ?? []), ...(becameWhole ? await correctedMembers(db, room) : [])]
      : [],
  })
  // Members who are only told along with what they sent do not change the summary.
  const isStateMoved =
    isWhole ||
    (await rootAt(db, { roomId, tail, lastResolution }, after)) !==
      (await rootAt(db, { roomId, tail, lastResolution }, upTo))
  const ephemeral = await readEphemeral(db, rt.typing, slice, { roomId, after })
  const body = {
    ...(await roomEvents(db, slice, { timeline, state })),
    ephemeral: { events: ephemeral },
    account_data: { events: isNew ? await wholeAccountData(db, slice, roomId) : accountData },
    summary: isWhole || (isStateMoved && hasMemberChange(timeline, state)) ? await summaryOf(db, room, slice.user) : {},
    ...(await unreadOf(db, slice, { membership, room, tail })),
  }
  return { roomId, body, isNewlyJoined: isNew }
}

/** Members who stand otherwise than they seemed to before all members were known. */
async function correctedMembers(db: Read, { id, wholePosition, provisionalRoot }: CachedRoom): Promise<string[]> {
  const changes = await stateDifference(db, provisionalRoot, await stateRootAt(db, id, wholePosition))
  const corrected = changes.filter(({ before }) => before !== undefined)
  const names = await keyNames(
    db,
    corrected.map(({ key }) => key),
  )
  return [...names.values()].flatMap(({ type, stateKey }) => (type === 'm.room.member' ? [stateKey] : []))
}

/** The timeline and state members of a room, written out. */
export async function roomEvents(
  db: Read,
  slice: Slice,
  { timeline, state }: { readonly timeline: Timeline; readonly state: Parameters<typeof renderEvents>[1] },
): Promise<Record<string, unknown>> {
  const { filter, requester, stateAfter } = slice.request
  const format = { hasRoomId: false, isFederation: filter.isFederationFormat, fields: filter.fields }
  const view: View = { requester, now: slice.now, format }
  const events: RawJson[] = await renderEvents(db, timeline.events, { ...view, bundles: timeline.isLimited })
  return {
    timeline: {
      events,
      limited: timeline.isLimited,
      prev_batch: printPosition(timeline.startsAfter),
    },
    [stateAfter ?? 'state']: { events: await renderEvents(db, state, view) },
  }
}

function hasMemberChange(timeline: Timeline, state: Parameters<typeof renderEvents>[1]): boolean {
  return [...timeline.events, ...state].some(
    ({ pdu }) => pdu.type === 'm.room.member' || pdu.type === 'm.room.name' || pdu.type === 'm.room.canonical_alias',
  )
}

/** What a client that does not know the room yet has not been told, however old it is. */
async function wholeAccountData(db: Read, { user, upTo, request }: Slice, roomId: RoomId): Promise<JsonObject[]> {
  const all = await accountDataOfRoom(db, user, roomId, upTo.position)
  return all
    .filter(({ type }) => passesType(type, request.filter.roomAccountData))
    .map(({ type, content }) => ({ type, content }))
}
