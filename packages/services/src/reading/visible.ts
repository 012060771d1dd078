// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { mayUserSee } from '@myelin/rules/visibility'
import type { Read } from '@myelin/storage/database'
import { eventsByNid } from '@myelin/storage/events'
import type { StoredEvent } from '@myelin/storage/stored-event'
import { membershipIn } from '@myelin/storage/members'
import { StateWord } from './state-word.ts'

const VISIBILITY = { type: 'm.room.history_visibility', stateKey: '', member: 'history_visibility' } as const

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
  const visibility = await StateWord.of(db, VISIBILITY)
  const membership = await StateWord.of(db, { type: 'm.room.member', stateKey: userId, member: 'membership' })
  const seen: StoredEvent[] = []
  for (const event of events) {
    const { pdu, stateBefore } = event
    const at = { visibility: await visibility.at(stateBefore), membership: await membership.at(stateBefore) }
    if (mayUserSee({ event: pdu, userId, ...at, joinedLater: (event.position ?? 0) < lastJoined })) seen.push(event)
  }
  return seen
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
