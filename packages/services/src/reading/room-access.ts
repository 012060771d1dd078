// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { isWorldReadable } from '@myelin/rules/visibility'
import { isGuest } from '@myelin/storage/accounts/accounts'
import type { Read } from '@myelin/storage/engine/database'
import { eventsById, stateRootAt } from '@myelin/storage/rooms/events/events'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import { loadStateEvent } from '../room-state/load-auth-state.ts'

/** The part of a room that a user may read: up to now, or up to when they left. */
export interface RoomAccess {
  readonly roomId: RoomId
  readonly roomVersion: string
  readonly isJoined: boolean
  /** The root of the state that the user may read. */
  readonly stateRoot: number
  /** The last position that the user may read; infinite for members. */
  readonly upTo: number
  /** After this position no history is missing; 0 if none ever was. */
  readonly lastGap: number
}

/**
 * Returns the part of a room that a user may read. Throws `M_FORBIDDEN` if the user never joined (unless the room is
 * world-readable) or forgot the room.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#getting-events-for-a-room
 */
export async function roomAccess(db: Read, user: UserId, roomId: RoomId): Promise<RoomAccess> {
  const room = await roomById(db, roomId)
  if (!room) throw outside()
  const standing = await membershipIn(db, roomId, user)
  const { roomVersion, stateRoot, lastGap } = room
  const now = { roomId, roomVersion, stateRoot, lastGap, upTo: Number.MAX_SAFE_INTEGER }
  if (standing?.membership === 'join') return { ...now, isJoined: true }
  const visibility = await loadStateEvent(db, room.stateRoot, 'm.room.history_visibility')
  if (visibility && isWorldReadable(stringMember(visibility.content, 'history_visibility')))
    return { ...now, isJoined: false }
  if (!standing || standing.isForgotten || !['leave', 'ban'].includes(standing.membership)) throw outside()
  // A guest reads rooms that are world-readable, and those joined.
  if (await isGuest(db, user)) throw outside()
  const end = await endOfJoin(db, roomId, user, standing.position)
  if (end === undefined) throw outside()
  return { ...now, isJoined: false, stateRoot: await stateRootAt(db, roomId, end), upTo: end }
}

/**
 * Returns the position where a user's membership of a room ended. Mostly that is their last member event, but a ban or
 * an unban may follow. State resolution may also end a join without an event that replaces it. Undefined where they were
 * never joined.
 */
export async function endOfJoin(db: Read, roomId: RoomId, user: UserId, last: number): Promise<number | undefined> {
  let end = last
  for (let step = 0; step < MAX_STEPS; step++) {
    const before = await loadStateEvent(db, await stateRootAt(db, roomId, end - 0.5), 'm.room.member', user)
    if (!before) return undefined
    if (stringMember(before.content, 'membership') === 'join') return end
    const [event] = await eventsById(db, [before.id])
    if (!event || event.position === null || event.position >= end) return undefined
    end = event.position
  }
  return undefined
}

/** Member events after a leave that are followed at most. */
const MAX_STEPS = 20

const outside = () => new MatrixError('M_FORBIDDEN', 'you are not in this room')
