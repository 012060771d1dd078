// SPDX-License-Identifier: Apache-2.0
import { stringMember } from '@myelin/matrix/json'
import type { RoomId, UserId } from '@myelin/matrix/ids'
import { mayUserSee } from '@myelin/rules/visibility'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid } from '@myelin/storage/rooms/events/events'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { membershipIn } from '@myelin/storage/rooms/members/members'
import { stickyEnds } from '../room-state/sticky-ends.ts'
import { stateWords } from '../room-state/state-words.ts'
import { withoutIneffectiveRedactions } from './ineffective-redactions.ts'

/**
 * Returns the events that a user may see, by history visibility and the user's membership when each was sent; a joined user
 * also sees sticky events. Redactions without effect are left out.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility
 */
export async function visibleTo(
  db: Read,
  userId: UserId,
  roomId: RoomId,
  all: readonly StoredEvent[],
): Promise<readonly StoredEvent[]> {
  const events = await withoutIneffectiveRedactions(db, all)
  if (events.length === 0) return events
  const lastJoined = await lastJoinedPosition(db, userId, roomId)
  // A joined user sees events while they are sticky.
  const sticky = lastJoined === Infinity ? await stickyEnds(db, events) : undefined
  const roots = events.map(({ stateBefore }) => stateBefore)
  const visibilities = await stateWords(db, { ...VISIBILITY, stateKey: '' }, roots)
  const memberships = await stateWords(db, { ...MEMBERSHIP, stateKey: userId }, roots)
  return events.filter(({ nid, pdu, position, stateBefore }) => {
    if (sticky?.has(nid)) return true
    const [visibility, membership] = [visibilities.get(stateBefore), memberships.get(stateBefore)]
    return mayUserSee({ event: pdu, userId, visibility, membership, joinedLater: (position ?? 0) < lastJoined })
  })
}

const VISIBILITY = { type: 'm.room.history_visibility', member: 'history_visibility' } as const
const MEMBERSHIP = { type: 'm.room.member', member: 'membership' } as const

// Member events since a user's last join that are followed; a longer chain counts as no join.
const MAX_STEPS = 50

/** Returns the position of a user's last join event; infinite if the user is joined. */
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
