// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import type { Membership } from '@myelin/storage/rooms/members/members'
import { roomsRemovedFrom } from '@myelin/storage/sync/changed-rooms'
import { hiddenInvites } from '../sections/offered-rooms.ts'
import type { Slice } from '../sync-request.ts'
import { selectionName } from './connection-state.ts'
import type { ConnectionState } from './connection-state.ts'
import { StateSelection } from './required-state.ts'
import { matchingRooms } from './room-filters.ts'
import type { ListedRoom } from './room-order.ts'
import { traitsOfRooms } from './room-traits.ts'
import type { RoomTraits } from './room-traits.ts'
import type { Range, RoomConfig, SlidingRequest } from './sliding-request.ts'

/** The union of what the matching lists and subscriptions request of a room. */
export interface RequestedRoom {
  readonly timelineLimit: number
  readonly selection: StateSelection
  readonly text: string
  readonly name: string
  readonly lists: readonly string[]
  readonly isSubscribed: boolean
}

/** A room that a list or a subscription matches. */
export interface WantedRoom {
  readonly membership: Membership
  readonly requested: RequestedRoom
}

/** The part of a list that its ranges reach. */
export interface Window {
  /** The number of rooms that the filters match. */
  readonly count: number
  readonly parts: readonly { readonly range: Range; readonly rooms: readonly RoomId[] }[]
}

/** The windows of all lists, and the rooms that lists and subscriptions match. */
export interface Windows {
  readonly lists: ReadonlyMap<string, Window>
  readonly rooms: ReadonlyMap<RoomId, WantedRoom>
  /** Returns the rooms that lists and subscriptions match, also beyond the windows. */
  matching(): ReadonlySet<RoomId>
}

/** Returns the windows of a request over the user's rooms. */
export async function windowsOf(
  db: Read,
  slice: Slice,
  request: Pick<SlidingRequest, 'lists' | 'subscriptions'>,
  order: readonly ListedRoom[],
  state: ConnectionState,
): Promise<Windows> {
  if (request.lists.size === 0 && request.subscriptions.size === 0)
    return { lists: new Map(), rooms: new Map(), matching: () => new Set() }
  const shown = await shownRooms(db, slice, order, state)
  const byId = new Map(shown.map((membership) => [membership.roomId, membership]))
  let read: Promise<ReadonlyMap<RoomId, RoomTraits | undefined>> | undefined
  const traits = () => (read ??= traitsOfRooms(db, shown))
  const lists = new Map<string, Window>()
  const all: (readonly RoomId[])[] = []
  const matched = new Map<RoomId, string[]>()
  for (const [name, { filters, ranges }] of request.lists) {
    const rooms = await matchingRooms(db, slice.user, filters, byId, traits)
    const window = windowOver(rooms, ranges)
    lists.set(name, window)
    all.push(rooms)
    for (const roomId of new Set(window.parts.flatMap((part) => part.rooms))) {
      const names = matched.get(roomId)
      if (names) names.push(name)
      else matched.set(roomId, [name])
    }
  }
  for (const roomId of request.subscriptions.keys())
    if (byId.has(roomId) && !matched.has(roomId)) matched.set(roomId, [])
  const matching = () => new Set([...all.flat(), ...matched.keys()])
  return { lists, rooms: wantedRooms(request, matched, byId), matching }
}

function windowOver(rooms: readonly RoomId[], ranges: readonly Range[] | undefined): Window {
  const whole: readonly Range[] = rooms.length === 0 ? [] : [[0, rooms.length - 1]]
  const shown = new Set<RoomId>()
  const parts = (ranges ?? whole).map((range) => {
    // A room in several ranges is in the first of them only: answers stay bounded by the number of rooms.
    const part = rooms.slice(range[0], range[1] + 1).filter((roomId) => !shown.has(roomId))
    for (const roomId of part) shown.add(roomId)
    return { range, rooms: part }
  })
  return { count: rooms.length, parts }
}

function wantedRooms(
  { lists, subscriptions }: Pick<SlidingRequest, 'lists' | 'subscriptions'>,
  matched: ReadonlyMap<RoomId, readonly string[]>,
  byId: ReadonlyMap<RoomId, Membership>,
): Map<RoomId, WantedRoom> {
  // Most rooms match the same lists.
  const requests = new Map<string, RequestedRoom>()
  const rooms = new Map<RoomId, WantedRoom>()
  for (const [roomId, names] of matched) {
    const membership = byId.get(roomId)
    const subscription = subscriptions.get(roomId)
    const key = JSON.stringify(subscription ? [names, roomId] : [names])
    const configs = [...names.map((name) => lists.get(name)), subscription].filter((config) => config !== undefined)
    const requested = requests.get(key) ?? requestOf(configs, names, subscription !== undefined)
    requests.set(key, requested)
    if (membership) rooms.set(roomId, { membership, requested })
  }
  return rooms
}

function requestOf(configs: readonly RoomConfig[], lists: readonly string[], isSubscribed: boolean): RequestedRoom {
  const selection = new StateSelection(configs.map(({ requiredState }) => requiredState))
  const { text } = selection
  return {
    timelineLimit: Math.max(...configs.map(({ timelineLimit }) => timelineLimit)),
    selection,
    text,
    name: selectionName(text),
    lists,
    isSubscribed,
  }
}

/**
 * Returns the rooms that lists and subscriptions are about, in the order of activity: those that the user is in, invited to or
 * knocking on, those from which others removed them, and those they left that the connection was sent.
 */
async function shownRooms(
  db: Read,
  slice: Slice,
  order: readonly ListedRoom[],
  { rooms }: ConnectionState,
): Promise<Membership[]> {
  const removed = await roomsRemovedFrom(db, slice.user)
  let isHidden: Awaited<ReturnType<typeof hiddenInvites>> | undefined
  const shown: Membership[] = []
  for (const { membership } of order) {
    const { membership: kind, roomId, position } = membership
    if (position > slice.upTo.position) continue
    // A room that was left and forgotten since is still reported.
    if (membership.isForgotten && position <= (slice.since?.position ?? 0)) continue
    if (kind === 'invite') {
      isHidden ??= await hiddenInvites(db, slice)
      if (await isHidden(membership)) continue
    } else if (kind !== 'join' && kind !== 'knock' && !rooms.has(roomId) && !removed.has(roomId)) continue
    shown.push(membership)
  }
  return shown
}
