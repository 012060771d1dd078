// SPDX-License-Identifier: Apache-2.0
import { stateRootAt } from '@myelin/storage/rooms/events/events'
import { newestGap } from '@myelin/storage/rooms/events/outliers'
import { endOfJoin } from '../../reading/room-access.ts'
import { shownState } from '../sections/offered-rooms.ts'
import { readTimeline } from '../timeline.ts'
import type { RoomResult } from './room-result.ts'
import { memberEvents, namedChanges, selectedState } from './room-state-changes.ts'
import { membersInTimeline, renderState, resultTimeline, withTimelineLimit } from './slice-for-room.ts'
import type { RoomTask } from './room-task.ts'
import type { SlidingScope } from './sliding-scope.ts'

/**
 * Returns the entry of a room that the user left or was removed from: what they saw up to then, and the event that ended it.
 * Nothing that came later is in it. Where the user was never joined, it is the end of the invite or the knock.
 */
export async function leftRoom(scope: SlidingScope, task: RoomTask): Promise<RoomResult> {
  const { membership, after, isDm } = task
  const common = { membership: membership.membership, isExpanded: false, isDm, deletedState: [] }
  // The client has seen the end already.
  if (after !== undefined && membership.position <= after) return { ...common, isInitial: false, requiredState: [] }
  const { db, slice } = scope.sync
  const end = await endOfJoin(db, task.roomId, slice.user, membership.position)
  if (end === undefined)
    return {
      ...common,
      isInitial: true,
      requiredState: await renderState(db, slice, [membership.eventNid]),
      strippedState: await shownState(db, slice, membership, scope.sync.tools.config.rooms),
      bumpStamp: membership.position,
    }
  return { ...common, ...(await stayOf(scope, task, end)), bumpStamp: membership.position }
}

/** Reads timeline and state up to the end of the user's stay. */
async function stayOf(scope: SlidingScope, task: RoomTask, position: number) {
  const { db, slice, upTo } = scope.sync
  const { roomId, requested, after, membership } = task
  const end = Math.min(position, upTo)
  const from = after !== undefined && after < end ? after : undefined
  const gap = await newestGap(db, roomId, from ?? 0, end)
  const bounds = { roomId, after: from ?? 0, upTo: end, checksVisibility: true, gap }
  const timeline = await readTimeline(db, withTimelineLimit(slice, requested.timelineLimit), bounds)
  const root = await stateRootAt(db, roomId, end)
  const state = from === undefined ? await wholeState(scope, task, root) : await changes(scope, task, from, root)
  const lazy = requested.selection.isLazy ? await memberEvents(db, root, membersInTimeline(timeline.events)) : []
  return {
    isInitial: after === undefined,
    requiredState: await renderState(db, slice, [...state, ...lazy, membership.eventNid]),
    timeline: requested.timelineLimit === 0 ? undefined : await resultTimeline(db, slice, timeline),
  }
}

function wholeState({ sync }: SlidingScope, { roomId, requested }: RoomTask, root: number): Promise<number[]> {
  return selectedState(sync.db, { roomId, root }, requested.selection)
}

async function changes({ sync }: SlidingScope, { roomId, requested }: RoomTask, from: number, root: number) {
  const named = await namedChanges(sync.db, await stateRootAt(sync.db, roomId, from), root)
  return named.flatMap(({ type, stateKey, event }) =>
    requested.selection.matches(type, stateKey) ? (event ?? []) : [],
  )
}
