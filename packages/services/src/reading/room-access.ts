// SPDX-License-Identifier: Apache-2.0
import { MatrixError } from '@myelin/matrix/errors'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import { isWorldReadable } from '@myelin/rules/visibility'
import type { Read } from '@myelin/storage/engine/database'
import { eventsById, stateRootAt } from '@myelin/storage/rooms/events/events'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { roomById } from '@myelin/storage/rooms/rooms'
import { loadStateEvent } from '../room-state/load-auth-state.ts'

/** What a user may read of a room: as of now, or as of when they left it. */
export interface RoomAccess {
  readonly roomId: RoomId
  readonly roomVersion: string
  readonly isJoined: boolean
  /** The root of the state they may read. */
  readonly stateRoot: number
  /** The last position they may read; without end for members. */
  readonly upTo: number
  /** Behind this position no history is missing; 0 where none ever was. */
  readonly lastGap: number
}

/**
 * What a user may read of a room; throws `M_FORBIDDEN` for one they never joined (unless the world may read it), or forgot.
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
  const end = await endOfJoin(db, roomId, user, standing.position)
  if (end === undefined) throw outside()
  return { ...now, isJoined: false, stateRoot: await stateRootAt(db, roomId, end), upTo: end }
}

/**
 * Where somebody who is out of a room stopped being in it. Mostly that is their last change; who is banned after having
 * left, or let off again, was out before. State resolution may end a join as well, without an event that replaces it.
 */
async function endOfJoin(db: Read, roomId: RoomId, user: UserId, last: number): Promise<number | undefined> {
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

/** So often somebody was invited, banned and the like after they left, that nobody looks further. */
const MAX_STEPS = 20

const outside = () => new MatrixError('M_FORBIDDEN', 'you are not in this room')
