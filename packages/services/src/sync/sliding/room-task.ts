// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { SentRoom } from './connection-state.ts'
import { sentUpTo } from './sliding-scope.ts'
import type { SlidingScope } from './sliding-scope.ts'
import type { WantedRoom } from './windows.ts'

/** A room that is read for an answer. */
export interface RoomTask extends WantedRoom {
  readonly roomId: RoomId
  readonly sent: SentRoom | undefined
  /** The position after which changes are shown; undefined where the client gets the whole room. */
  readonly after: number | undefined
  /** The room is a direct chat, and the client does not know that yet. */
  readonly isDm: boolean | undefined
}

/** Returns a room with all that its answer depends on. */
export function taskOf(scope: SlidingScope, roomId: RoomId, wanted: WantedRoom): RoomTask {
  const sent = scope.state.rooms.get(roomId)
  const upTo = sentUpTo(scope, sent)
  const isEntered = wanted.membership.membership === 'join' && wanted.membership.position > (upTo ?? 0)
  const isDm = scope.direct.has(roomId)
  const after = isEntered ? undefined : upTo
  const isDmKnown = after === undefined ? !isDm : sent?.isDm === isDm
  return { ...wanted, roomId, sent, after, isDm: isDmKnown ? undefined : isDm }
}

/** Returns whether a room may have changes, without reading it. */
export function mayHaveNews(task: RoomTask, moved: ReadonlySet<RoomId> | undefined): boolean {
  const { after, sent, requested, membership, roomId } = task
  if (after === undefined || !sent || sent.upTo !== undefined || task.isDm !== undefined) return true
  if (membership.position > after || moved === undefined) return true
  if (membership.membership !== 'join') return false
  return moved.has(roomId) || sent.timelineLimit < requested.timelineLimit || sent.selection !== requested.name
}
