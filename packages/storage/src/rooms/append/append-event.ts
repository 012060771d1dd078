// SPDX-License-Identifier: Apache-2.0
import type { Pdu } from '@myelin/matrix/pdu'
import type { Tx } from '../../engine/database.ts'
import { BUMPS } from '../events/bump-types.ts'
import { columnNumber, putEventRow } from '../events/event-row.ts'
import type { EventFacts, EventRow } from '../events/event-row.ts'
import { dropUnlistedExtremities } from '../forward-extremities.ts'
import { updateMembers } from '../members/member-changes.ts'
import type { PrecomputedMemberChanges } from '../members/member-changes.ts'
import { internKey } from '../../engine/names.ts'
import { noteGuestAccess, putGuestCheck } from '../owed-guest-checks.ts'
import { roomRows } from '../room-row.ts'
import type { OpenRoom } from '../rooms.ts'
import { requestName } from '../events/sent-events.ts'
import type { Nid, Position } from '../../schema/schema.ts'
import { changeState, stateAt } from '../state/state.ts'
import { topics } from '../../engine/topics.ts'

/**
 * The place of an event that does not simply continue the room: the states before and after it, and the forward
 * extremities after it.
 */
export interface EventPlace {
  readonly stateBefore: Nid
  readonly stateAfter: Nid
  /**
   * The root of the room's current state with the event, and the extremityNids of its graph as the room's row lists them; a null
   * among them is the event itself.
   */
  readonly roomRoot: Nid
  readonly extremityNids: readonly (Nid | null)[]
  /** The number of forward extremities, where not all are listed. */
  readonly extremityCount?: number
  /** The root is not yet the resolution of all forward extremities. */
  readonly isUnsettled?: boolean
  /** The event's number, and whether it is kept already, as an outlier. */
  readonly nid: Nid
  readonly isKept: boolean
  /** The member changes between the states, if they were precomputed. */
  readonly foreseen?: PrecomputedMemberChanges
}

/** The number, position and resulting state of an appended event. */
export interface Appended {
  readonly nid: Nid
  readonly position: Position
  readonly stateAfter: Nid
}

/**
 * Puts an event at the end of its room: the event, the state it makes, membership and the room's row, all at once.
 *
 * Without a place the event must have been authorized against the room's current state and name its extremityNids. Nothing
 * else creates events of the timeline.
 */
export async function appendEvent(
  tx: Tx,
  room: OpenRoom,
  event: Pdu,
  facts: EventFacts,
  place?: EventPlace,
): Promise<Appended> {
  const position = tx.takePosition()
  const nid = place?.nid ?? position
  const state = await stateWith(tx, room, event, nid, place)
  const isNotifying = facts.notifies !== 'no' && facts.thread === undefined
  const notified = room.notified + (isNotifying ? 1 : 0)
  await putEventRow(tx, event, {
    ...facts,
    nid,
    room: room.nid,
    position,
    state,
    notified,
    status: 'accepted',
    isKept: place?.isKept ?? false,
  })
  if (place) await noteGuestAccess(tx, room.nid, room.stateRoot, state.roomRoot)
  else if (event.type === 'm.room.guest_access' && state.replaces !== undefined) await putGuestCheck(tx, room.nid)
  const counts = await updateMembers(tx, room, {
    own: { event, nid },
    root: place?.roomRoot,
    position,
    foreseen: place?.foreseen,
  })
  const extremityNids = (place?.extremityNids ?? [null]).map((extremity) => extremity ?? nid)
  const extremityCount = place?.extremityCount ?? extremityNids.length
  if (extremityCount === extremityNids.length && room.extremityCount > room.extremityNids.length)
    await dropUnlistedExtremities(tx, room.nid)
  tx.known.change(
    roomRows,
    room.movedBy({
      extremities: JSON.stringify(extremityNids),
      head_count: extremityCount,
      is_unsettled: place?.isUnsettled ? 1 : 0,
      depth: Math.max(room.depth, columnNumber(event.depth)),
      state_root: state.roomRoot,
      last_position: position,
      notified,
      joined_count: counts.joined,
      invited_count: counts.invited,
      bump_position: BUMPS.has(event.type) ? position : room.bumpPosition,
    }),
  )
  if (facts.transaction) tx.known.note(requestName({ roomId: room.id, sender: event.sender, ...facts.transaction }))
  tx.touch(room.id)
  if (place?.isUnsettled) tx.touch(topics.unsettled)
  if (facts.notifies !== 'no' && facts.thread !== undefined) tx.touch(topics.threads(room.id))
  if (facts.notifies === 'highlight') tx.touch(topics.loud(room.id))
  return { nid, position, stateAfter: state.after }
}

async function stateWith(
  tx: Tx,
  room: OpenRoom,
  event: Pdu,
  nid: Nid,
  place: EventPlace | undefined,
): Promise<EventRow['state']> {
  const before = place?.stateBefore ?? room.stateRoot
  if (event.stateKey === undefined) return { before, after: before, roomRoot: place?.roomRoot ?? before }
  const key = await internKey(tx, event.type, event.stateKey)
  const replaces = await stateAt(tx, before, key)
  const after = place?.stateAfter ?? (await changeState(tx, before, [{ key, event: nid }]))
  return { before, after, roomRoot: place?.roomRoot ?? after, ...(replaces === undefined ? {} : { replaces }) }
}
