// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { eventsByNid, stateRootAt } from '@myelin/storage/rooms/events/events'
import { BEGINNING } from '@myelin/storage/rooms/events/history-positions'
import { stateEventNid } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import type { Slice } from './sync-request.ts'

/** The end of a user's membership in a slice, as far as the room's log shows it. */
export interface Departure {
  /** The event that ended the user's membership; undefined if they were never joined in the slice. */
  readonly end: StoredEvent | undefined
  /** The user's member events in the slice after `end`, oldest first. */
  readonly later: readonly StoredEvent[]
  /** The only change is an invite by an ignored user and its end: the client does not know of it. */
  readonly isUnknown: boolean
}

// A longer chain of invites, bans and rejections counts as no join.
const MAX_STEPS = 50

/** Follows a user's member events back from the end of a slice, to the last time they were joined in it. */
export async function readDeparture(db: Read, slice: Slice, roomId: RoomId): Promise<Departure> {
  const after = slice.since?.position ?? BEGINNING
  const later: StoredEvent[] = []
  const root = await stateRootAt(db, roomId, slice.upTo.position)
  let nid: number | null = (await stateEventNid(db, root, 'm.room.member', slice.user)) ?? null
  for (let step = 0; nid !== null && step < MAX_STEPS; step++) {
    const event: StoredEvent | undefined = (await eventsByNid(db, [nid])).get(nid)
    if (!event) break
    if (membershipOf(event) === 'join') return { end: later[0], later: later.slice(1), isUnknown: false }
    if ((event.position ?? 0) <= after) break
    later.unshift(event)
    nid = event.replaces
  }
  const [first] = later
  const isOffer = first !== undefined && membershipOf(first) === 'invite'
  return { end: undefined, later, isUnknown: isOffer && later.length > 1 && slice.ignored.has(first.pdu.sender) }
}

const membershipOf = ({ pdu }: StoredEvent) => stringMember(pdu.content, 'membership')
