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
import { inOrder, judgeByAuthEvents } from '../append/judge.ts'
import type { Judged } from '../append/judge.ts'

/** A stored event, and its outcome. */
export interface Kept extends Judged {
  readonly nid: number
}

/**
 * Stores outliers, each judged by its auth events alone. Stored events stay unchanged, and events with unavailable
 * auth events are dropped. Returns the stored events by ID, with the auth events that they name.
 *
 * Dropping them instead of rejecting them keeps a server from deciding the outcome by withholding auth events. An
 * event that was stored before any of its auth events were known, such as an invite, is judged once they are present.
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

/** Returns the events that were stored from outside the room, without any of their auth events. */
async function unjudgedAmong(tx: Tx, stored: readonly StoredEvent[]): Promise<Set<number>> {
  const isOutside = ({ position, stateAfter, pdu }: StoredEvent) =>
    position === null && stateAfter === 0 && pdu.type === 'm.room.member'
  const outside = stored.filter(isOutside).map(({ nid }) => nid)
  return outside.length === 0 ? new Set() : writtenEarly(tx, outside)
}

/** Moves the create event to the front: no event names it where the room ID is its hash, and all depend on it. */
export function createFirst(pdus: Iterable<Pdu>): Pdu[] {
  const rank = ({ type }: Pdu) => (type === 'm.room.create' ? 0 : 1)
  return [...pdus].toSorted((a, b) => rank(a) - rank(b))
}
