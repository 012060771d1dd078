// SPDX-License-Identifier: Apache-2.0
import { shownState } from '../sections/offered-rooms.ts'
import { joinedRoom } from './joined-room.ts'
import { leftRoom } from './left-room.ts'
import type { RoomResult } from './room-result.ts'
import type { RoomTask } from './room-task.ts'
import type { SlidingScope } from './sliding-scope.ts'

/** Returns a room's entry; undefined where the room cannot be shown yet. */
export async function readRoom(scope: SlidingScope, task: RoomTask): Promise<RoomResult | undefined> {
  const { membership } = task.membership
  if (membership === 'join') return joinedRoom(scope, task)
  if (membership === 'invite' || membership === 'knock') return offeredRoom(scope, task)
  return leftRoom(scope, task)
}

async function offeredRoom({ sync }: SlidingScope, task: RoomTask): Promise<RoomResult> {
  const { membership, after, isDm } = task
  const isChanged = after === undefined || membership.position > after
  return {
    membership: membership.membership,
    isInitial: isChanged,
    isExpanded: false,
    isDm,
    requiredState: [],
    deletedState: [],
    ...(isChanged
      ? {
          strippedState: await shownState(sync.db, sync.slice, membership, sync.tools.config.rooms),
          bumpStamp: membership.position,
        }
      : {}),
  }
}
