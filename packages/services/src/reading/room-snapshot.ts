// SPDX-License-Identifier: Apache-2.0
import type { RawJson } from '@myelin/kit/raw-json'
import type { RoomId } from '@myelin/matrix/ids'
import { accountDataOfRoom } from '@myelin/storage/accounts/account-data'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import type { Checker } from '../rooms/intake/check-incoming.ts'
import { eventFilterOf } from '../room-state/event-filter.ts'
import type { Requester, Runtime } from '../runtime/runtime.ts'
import { readMessages } from './messages.ts'
import { readState } from './room-state.ts'

type Needs = Checker & Pick<Runtime, 'db' | 'clock' | 'bus' | 'serverName'>

/** A room with its newest events, in the wire format. Without `membership` for a user who was never in the room. */
export interface RoomSnapshot {
  readonly room_id: RoomId
  readonly membership?: string
  /** Oldest first. Earlier events are before `start`; it is absent where there are none. */
  readonly messages: { readonly chunk: readonly RawJson[]; readonly start?: string; readonly end: string }
  readonly state: readonly RawJson[]
  readonly visibility: 'private' | 'public'
  readonly account_data: readonly { readonly type: string; readonly content: object }[]
}

/** The most events of a snapshot. */
const MAX_LIMIT = 100

/**
 * Returns the state of a room and its newest events, at most `limit`: as of now, or of when the requester left. Any user may
 * read a world-readable room.
 *
 * @throws MatrixError `M_FORBIDDEN` where the room is not readable
 * @see https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidinitialsync
 */
export async function roomSnapshot(
  rt: Needs,
  requester: Requester,
  roomId: RoomId,
  limit: number,
): Promise<RoomSnapshot> {
  const db = rt.db.read
  const state = await readState(rt, requester, roomId)
  const { chunk, start, end } = await readMessages(rt, requester, {
    roomId,
    direction: 'backward',
    limit: Math.min(limit, MAX_LIMIT),
    filter: eventFilterOf(undefined),
  })
  const standing = await membershipIn(db, roomId, requester.userId)
  const entries = await accountDataOfRoom(db, requester.userId, roomId, await rt.db.position())
  return {
    room_id: roomId,
    ...(standing ? { membership: standing.membership } : {}),
    // The page was read backwards.
    messages: { chunk: chunk.toReversed(), ...(end === undefined ? {} : { start: end }), end: start },
    state,
    visibility: (await roomById(db, roomId))?.isPublished === true ? 'public' : 'private',
    account_data: entries.map(({ type, content }) => ({ type, content })),
  }
}
