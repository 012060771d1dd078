// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { hasSpaceFor } from '../connection-state.ts'
import type { SentRoom, Step } from '../connection-state.ts'
import { shownUpTo, wantedBy } from '../extensions/extension.ts'
import type { RoomMemory } from '../extensions/extension.ts'
import { SLIDING_EXTENSIONS } from '../extensions/extensions.ts'
import { isEnabled } from '../extensions/read-extensions.ts'
import type { RoomResult } from '../room-result.ts'
import type { AnsweredScope } from '../sliding-scope.ts'
import type { RequestedRoom } from '../windows.ts'

/**
 * Returns what an answer changes in the state of its connection. It is empty where the answer only goes on with rooms that the
 * client has, and where nothing happened in others.
 *
 * @param unshown rooms that a list matches, and that cannot be shown yet
 */
export async function nextStep(scope: AnsweredScope, unshown: ReadonlySet<RoomId>): Promise<Step> {
  const rooms = new Map<RoomId, SentRoom>()
  const selections = new Map<string, string>()
  const shownBy = extensionRooms(scope)
  for (const [roomId, { requested }] of scope.windows.rooms) {
    const before = scope.state.rooms.get(roomId)
    if (unshown.has(roomId)) {
      if (before && before.upTo === undefined) rooms.set(roomId, { ...before, upTo: scope.sync.after })
      continue
    }
    const after = sentRoom(scope, roomId, requested, shownBy)
    if (before && isEqual(before, after)) continue
    rooms.set(roomId, after)
    if (scope.state.selections.has(requested.name) || selections.has(requested.name)) continue
    const known = { selections: new Map([...scope.state.selections, ...selections]) }
    if (hasSpaceFor(known, requested.text)) selections.set(requested.name, requested.text)
  }
  for (const roomId of await changedElsewhere(scope)) {
    const sent = scope.state.rooms.get(roomId)
    if (sent && sent.upTo === undefined) rooms.set(roomId, { ...sent, upTo: scope.sync.after })
  }
  return { rooms, selections }
}

type ShownBy = ReadonlyMap<RoomMemory, ReadonlySet<RoomId>>

function extensionRooms(scope: AnsweredScope): ShownBy {
  const shown = new Map<RoomMemory, ReadonlySet<RoomId>>()
  for (const { name, memory } of SLIDING_EXTENSIONS) {
    const config = scope.request.extensions.get(name)
    if (memory) shown.set(memory, config && isEnabled(config) ? wantedBy(scope, config) : new Set())
  }
  return shown
}

function sentRoom(scope: AnsweredScope, roomId: RoomId, requested: RequestedRoom, shownBy: ShownBy): SentRoom {
  const before = scope.state.rooms.get(roomId)
  const result = scope.results.get(roomId)
  return {
    selection: requested.name,
    timelineLimit: sentLimit(before, result, requested),
    isDm: scope.direct.has(roomId),
    ...positionOf(scope, roomId, 'receipts', shownBy),
    ...positionOf(scope, roomId, 'accountData', shownBy),
  }
}

/** Returns how many of the newest events the client has without a gap, as far as that was asked for. */
function sentLimit(before: SentRoom | undefined, result: RoomResult | undefined, requested: RequestedRoom): number {
  if (!before || result?.isInitial || result?.timeline?.isLimited) return requested.timelineLimit
  return Math.max(before.timelineLimit, requested.timelineLimit)
}

function positionOf(scope: AnsweredScope, roomId: RoomId, memory: RoomMemory, shownBy: ShownBy) {
  if (shownBy.get(memory)?.has(roomId)) return {}
  const isInitial = scope.results.get(roomId)?.isInitial === true
  return { [memory]: isInitial ? 0 : (shownUpTo(scope, roomId, memory) ?? 0) }
}

const isEqual = (a: SentRoom, b: SentRoom) =>
  a.selection === b.selection &&
  a.timelineLimit === b.timelineLimit &&
  a.isDm === b.isDm &&
  a.upTo === b.upTo &&
  a.receipts === b.receipts &&
  a.accountData === b.accountData

/** Returns the rooms in which something happened and that no list or subscription matches. */
async function changedElsewhere({ sync, state, windows }: AnsweredScope): Promise<RoomId[]> {
  if (state.rooms.size === 0) return []
  const moved = (await sync.moved()) ?? []
  const withAccountData = (await sync.accountData()).map(({ roomId }) => roomId)
  const memberships = sync.slice.memberships.filter(({ position }) => position > sync.after)
  const changed = new Set([...moved, ...withAccountData, ...memberships.map(({ roomId }) => roomId)])
  return [...changed].filter((roomId): roomId is RoomId => roomId !== '' && !windows.rooms.has(roomId))
}
