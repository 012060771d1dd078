// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { stateKey } from '@myelin/rules/auth/state-key'
import { mayUserSee } from '@myelin/rules/visibility'
import type { Read } from '@myelin/storage/database'
import { eventsByNid } from '@myelin/storage/events'
import type { StoredEvent } from '@myelin/storage/stored-event'
import { membershipIn } from '@myelin/storage/members'
import { loadState } from '../rooms/load-auth-state.ts'

type At = { readonly visibility: string | undefined; readonly membership: string | undefined }

/**
 * The events among these that a user may see, by what the room and they were when each was sent.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
 */
export async function visibleTo(
  db: Read,
  userId: UserId,
  roomId: RoomId,
  events: readonly StoredEvent[],
): Promise<StoredEvent[]> {
  if (events.length === 0) return []
  const lastJoined = await lastJoinedPosition(db, userId, roomId)
  const byRoot = new Map<number, At>()
  const seen: StoredEvent[] = []
  for (const event of events) {
    let at = byRoot.get(event.stateBefore)
    if (!at) {
      at = await standingAt(db, event.stateBefore, userId)
      byRoot.set(event.stateBefore, at)
    }
    if (mayUserSee({ event: event.pdu, userId, ...at, joinedLater: (event.position ?? 0) < lastJoined }))
      seen.push(event)
  }
  return seen
}

async function standingAt(db: Read, root: number, userId: UserId): Promise<At> {
  const state = await loadState(db, root, [
    ['m.room.history_visibility', ''],
    ['m.room.member', userId],
  ])
  const visibility = state.get(stateKey('m.room.history_visibility'))
  const own = state.get(stateKey('m.room.member', userId))
  return {
    visibility: visibility && stringMember(visibility.content, 'history_visibility'),
    membership: own && stringMember(own.content, 'membership'),
  }
}

// Profile changes and bans stand between a user's last join and now; a longer chain counts as no join.
const MAX_STEPS = 50

/** Where a user was last made or confirmed a member; without end for those who are. */
async function lastJoinedPosition(db: Read, userId: UserId, roomId: RoomId): Promise<number> {
  const standing = await membershipIn(db, roomId, userId)
  if (!standing) return 0
  if (standing.membership === 'join') return Infinity
  let nid: number | null = standing.eventNid
  for (let step = 0; nid !== null && step < MAX_STEPS; step++) {
    const event: StoredEvent | undefined = (await eventsByNid(db, [nid])).get(nid)
    if (!event) return 0
    if (stringMember(event.pdu.content, 'membership') === 'join') return event.position ?? 0
    nid = event.replaces
  }
  return 0
}
