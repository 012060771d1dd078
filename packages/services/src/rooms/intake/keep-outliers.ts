// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { createOfRoomId } from '@myelin/rules/events/event-id'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { writtenEarly } from '@myelin/storage/rooms/events/auth-edges'
import { inChunks } from '@myelin/storage/engine/database'
import type { Tx } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsById } from '@myelin/storage/rooms/events/events'
import { putOutlier } from '@myelin/storage/rooms/events/outliers'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { inOrder, judgeByAuthEvents } from './judge.ts'
import type { Judged } from './judge.ts'

/** An event that is kept, and whether it counts. */
export interface Kept extends Judged {
  readonly nid: number
}

/**
 * Keeps events that have no place in the timeline, each judged by its auth events alone; what is kept already stays as it
 * is, and what names auth events that nobody told is left out. Answers the kept by id, with the auth events they name.
 *
 * Whoever told an event may have withheld what it rests on, so rejecting it then would be theirs to decide. What was kept
 * while nothing was known that it rests on, such as an invite to a room that we were not in, is judged once that is there.
 */
export async function keepOutliers(
  tx: Tx,
  room: number,
  version: RoomVersion,
  pdus: readonly Pdu[],
): Promise<Map<EventId, Kept>> {
  const kept = new Map<EventId, Kept>()
  const named = new Set(pdus.flatMap((pdu) => [pdu.id, ...pdu.authEvents]))
  const [first] = pdus
  if (first && version.roomIds === 'hash of create event') named.add(createOfRoomId(first.roomId))
  const stored = await inChunks([...named], (chunk) => eventsById(tx, chunk))
  for (const event of stored) {
    kept.set(event.pdu.id, { nid: event.nid, pdu: event.pdu, isRejected: event.status === EVENT_STATUS.rejected })
  }
  const unjudged = await unjudgedAmong(tx, stored)
  for (const pdu of inOrder(createFirst(pdus), ({ authEvents }) => authEvents)) {
    const nid = kept.get(pdu.id)?.nid
    const isJudged = nid !== undefined && !unjudged.has(nid)
    if (isJudged || !pdu.authEvents.every((id) => kept.has(id))) continue
    const isRejected = !judgeByAuthEvents(pdu, version, (id) => kept.get(id)).allowed
    const status = isRejected ? 'rejected' : 'accepted'
    kept.set(pdu.id, {
      nid: await putOutlier(tx, pdu, { room, status, nid, isKept: nid !== undefined }),
      pdu,
      isRejected,
    })
  }
  return kept
}

/** Those that were kept from outside the room, where nothing is known that they rest on. */
async function unjudgedAmong(tx: Tx, stored: readonly StoredEvent[]): Promise<Set<number>> {
  const isOutside = ({ position, stateAfter, pdu }: StoredEvent) =>
    position === null && stateAfter === 0 && pdu.type === 'm.room.member'
  const outside = stored.filter(isOutside).map(({ nid }) => nid)
  return outside.length === 0 ? new Set() : writtenEarly(tx, outside)
}

/** Where the room ID stands for the create event nobody names it, and yet all rest on it. */
export function createFirst(pdus: Iterable<Pdu>): Pdu[] {
  const rank = ({ type }: Pdu) => (type === 'm.room.create' ? 0 : 1)
  return [...pdus].toSorted((a, b) => rank(a) - rank(b))
}
