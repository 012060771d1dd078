// SPDX-License-Identifier: Apache-2.0
import { nextTurn } from '@myelin/kit/next-turn'
import type { RoomId } from '@myelin/matrix/ids'
import { storedPushRules } from '@myelin/storage/accounts/push-rules'
import { cachedMemberships } from '@myelin/storage/rooms/members/members'
import { ignoredUsers } from '../../../standing/ignored-users.ts'
import type { StreamToken } from '../../../room-state/page-token.ts'
import { longPoll } from '../../long-poll.ts'
import type { PollAnswer, PollNeeds } from '../../long-poll.ts'
import type { Slice } from '../../sync-request.ts'
import { SyncScope } from '../../sync-scope.ts'
import { NOTHING_SENT } from '../connection-state.ts'
import { advanceConnection, connectionAt, startConnection } from '../connections.ts'
import type { Connection } from '../connections.ts'
import { nextStep } from './next-step.ts'
import { parsePos, printPos } from '../pos.ts'
import { printAnswer } from '../print-answer.ts'
import { beginExtensions, readExtensions } from '../extensions/read-extensions.ts'
import { readRoom } from '../room-answer.ts'
import { directRooms } from '../room-filters.ts'
import { roomOrder } from '../room-order.ts'
import { hasNews } from '../room-result.ts'
import type { RoomResult } from '../room-result.ts'
import { mayHaveNews, taskOf } from '../room-task.ts'
import { NO_FILTER } from '../slice-for-room.ts'
import type { SlidingRequest } from '../sliding-request.ts'
import type { AnsweredScope, SlidingScope } from '../sliding-scope.ts'
import { windowsOf } from '../windows.ts'

/** The number of rooms that are read at the same time. */
const ROOMS_AT_ONCE = 20

/**
 * Returns what changed on a connection of sliding sync since its `pos`; waits for changes if there are none.
 *
 * @throws MatrixError `M_UNKNOWN_POS` where the `pos` is none of the connection
 * @see https://github.com/matrix-org/matrix-spec-proposals/blob/main/proposals/4186-simplified-sliding-sync.md
 */
export function slidingSync(
  rt: PollNeeds,
  request: SlidingRequest,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>>> {
  const poll = {
    requester: request.requester,
    presence: request.presence,
    waits: request.pos !== undefined,
    timeoutMs: request.timeoutMs,
    begin: () => beginExtensions(rt, request),
    look: () => look(rt, request),
  }
  return longPoll(rt, poll, signal)
}

async function look(rt: PollNeeds, request: SlidingRequest): Promise<PollAnswer> {
  const position = await rt.db.position()
  const from = request.pos === undefined ? undefined : parsePos(request.pos)
  const connection = from && (await connectionAt(rt.db.read, request.requester, request.connId, from))
  const begun = from?.token.begun ?? position
  const upTo: StreamToken = { position, typing: rt.typing.serial, toDevice: 0, begun }
  const scope = await scopeOf(rt, request, { since: from?.token, upTo }, connection)
  const { results, unshown } = await readRooms(scope)
  const answered: AnsweredScope = { ...scope, results }
  const extensions = await readExtensions(answered)
  return {
    isEmpty: results.size === 0 && !extensions.hasNews,
    idle: { pos: request.pos, rooms: {}, extensions: {} },
    async finish() {
      const step = await nextStep(answered, unshown)
      const stored = connection
        ? { nid: connection.nid, serial: await advanceConnection(rt, request.requester, connection, step) }
        : await startConnection(rt, request.requester, request.connId, step)
      const pos = printPos({ token: { ...upTo, ...extensions.token }, connection: stored.nid, serial: stored.serial })
      return printAnswer(answered, pos, extensions.values)
    },
  }
}

async function scopeOf(
  rt: PollNeeds,
  request: SlidingRequest,
  { since, upTo }: { readonly since: StreamToken | undefined; readonly upTo: StreamToken },
  connection: Connection | undefined,
): Promise<SlidingScope> {
  const db = rt.db.read
  const user = request.requester.userId
  const memberships = (await cachedMemberships(db, user)).filter(({ position }) => position <= upTo.position)
  const ignored = await ignoredUsers(db, user)
  const hasOwnRules = (await storedPushRules(db, user)) !== undefined
  const syncRequest = {
    requester: request.requester,
    since,
    filter: NO_FILTER,
    isFullState: false,
    stateAfter: 'state_after' as const,
    timeoutMs: request.timeoutMs,
    presence: request.presence,
    connection: `\0${request.connId}`,
  }
  const slice: Slice = {
    request: syncRequest,
    user,
    since,
    upTo,
    now: rt.clock.now(),
    memberships,
    ignored,
    hasOwnRules,
  }
  const state = connection?.state ?? NOTHING_SENT
  const hasRooms = request.lists.size > 0 || request.subscriptions.size > 0
  const order = hasRooms ? await roomOrder(db, user) : []
  const windows = await windowsOf(db, slice, request, order, state)
  return { sync: new SyncScope(rt, db, slice), request, state, windows, direct: await directRooms(db, user) }
}

/** Reads the rooms that may have changes; `unshown` are those that cannot be shown yet. */
async function readRooms(
  scope: SlidingScope,
): Promise<{ readonly results: Map<RoomId, RoomResult>; readonly unshown: Set<RoomId> }> {
  const moved = await scope.sync.moved()
  const tasks = [...scope.windows.rooms]
    .map(([roomId, wanted]) => taskOf(scope, roomId, wanted))
    .filter((task) => mayHaveNews(task, moved))
  const results = new Map<RoomId, RoomResult>()
  const unshown = new Set<RoomId>()
  for (let start = 0; start < tasks.length; start += ROOMS_AT_ONCE) {
    const part = tasks.slice(start, start + ROOMS_AT_ONCE)
    const read = await Promise.all(part.map((task) => readRoom(scope, task)))
    for (const [index, { roomId }] of part.entries()) {
      const result = read[index]
      if (!result) unshown.add(roomId)
      else if (hasNews(result)) results.set(roomId, result)
    }
    // Many rooms take long: other requests get their turn.
    if (start + ROOMS_AT_ONCE < tasks.length) await nextTurn()
  }
  return { results, unshown }
}
