// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import type { RoomResult } from './room-result.ts'
import type { AnsweredScope } from './sliding-scope.ts'
import type { Dialect } from './sliding-request.ts'
import type { Window } from './windows.ts'

/** Returns the body of an answer in the dialect that the client asked for. */
export function printAnswer(
  { request, windows, results }: Pick<AnsweredScope, 'request' | 'windows' | 'results'>,
  pos: string,
  extensions: Readonly<Record<string, object>>,
): Record<string, unknown> {
  const { dialect } = request
  const lists = [...windows.lists].map(([name, window]) => [name, printList(dialect, window)])
  const rooms = [...results].map(([roomId, result]) => [
    roomId,
    dialect === 'v4' ? printRoom(result, windows.rooms.get(roomId)?.requested.lists ?? []) : printOlderRoom(result),
  ])
  return {
    pos,
    ...(lists.length > 0 ? { lists: Object.fromEntries(lists) } : {}),
    rooms: Object.fromEntries(rooms),
    extensions,
  }
}

function printList(dialect: Dialect, { count, parts }: Window): object {
  if (dialect === 'v4') return { count }
  const operation = ({ range, rooms }: { range: readonly [number, number]; rooms: readonly RoomId[] }) => ({
    op: 'SYNC',
    range,
    room_ids: rooms,
  })
  return { count, ops: parts.map(operation) }
}

/**
 * Returns a room's entry as MSC4186 was merged.
 *
 * @see https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md
 */
function printRoom(result: RoomResult, lists: readonly string[]): Record<string, unknown> {
  const state = [...result.requiredState, ...result.deletedState]
  const isStripped = result.strippedState !== undefined
  return {
    ...printCommon(result),
    membership: result.membership,
    ...(lists.length > 0 ? { lists } : {}),
    ...(result.name === undefined ? {} : { name: result.name }),
    ...(result.avatar === undefined ? {} : { avatar: result.avatar }),
    ...(result.isDm === undefined ? {} : { is_dm: result.isDm }),
    ...(result.isExpanded ? { expanded_timeline: true } : {}),
    ...(state.length > 0 && !isStripped ? { required_state: state } : {}),
    ...(isStripped ? { stripped_state: result.strippedState } : {}),
  }
}

/** Returns a room's entry as Synapse answers the unstable path. It has no word for what was deleted. */
function printOlderRoom(result: RoomResult): Record<string, unknown> {
  const { membership, strippedState, requiredState, isDm } = result
  const isOffer = membership === 'invite' || membership === 'knock'
  return {
    ...printCommon(result),
    notification_count: result.unread?.notification_count ?? 0,
    highlight_count: result.unread?.highlight_count ?? 0,
    ...(result.name ? { name: result.name } : {}),
    ...(result.avatar ? { avatar: result.avatar } : {}),
    ...(isDm === undefined ? {} : { is_dm: isDm }),
    ...(result.isExpanded ? { unstable_expanded_timeline: true } : {}),
    ...(requiredState.length > 0 ? { required_state: requiredState } : {}),
    ...(isOffer && strippedState ? { invite_state: strippedState } : {}),
  }
}

function printCommon(result: RoomResult): Record<string, unknown> {
  const { timeline, heroes } = result
  return {
    ...(result.isInitial ? { initial: true } : {}),
    ...(result.bumpStamp === undefined ? {} : { bump_stamp: result.bumpStamp }),
    ...(heroes && heroes.length > 0 ? { heroes } : {}),
    ...(result.joinedCount === undefined ? {} : { joined_count: result.joinedCount }),
    ...(result.invitedCount === undefined ? {} : { invited_count: result.invitedCount }),
    ...(timeline === undefined
      ? {}
      : {
          ...(timeline.events.length > 0 ? { timeline: timeline.events } : {}),
          limited: timeline.isLimited,
          prev_batch: timeline.prevBatch,
          num_live: timeline.liveCount,
        }),
  }
}
