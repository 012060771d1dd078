// SPDX-License-Identifier: Apache-2.0
import type { Tx } from '@myelin/storage/engine/database'
import { EVENT_STATUS } from '@myelin/storage/rooms/events/events'
import { internKey } from '@myelin/storage/engine/names'
import { partialEvents } from '@myelin/storage/federation/partial-events'
import { partialRoom } from '@myelin/storage/federation/partial-rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import { changeState, stateAt } from '@myelin/storage/rooms/state/state'
import type { StateChange } from '@myelin/storage/schema/state-change'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'

/**
 * Returns the states before an event of a partially joined room: those after its `prev_events`, as far as they arrived
 * since the join, else the state sent with the join. Undefined where the members are known, or the event is older than
 * the join.
 */
export async function provisionalRoots(
  tx: Tx,
  room: OpenRoom,
  previous: readonly StoredEvent[],
  isHistory: boolean,
): Promise<readonly number[] | undefined> {
  if (!room.isPartial) return undefined
  const provisional = await partialEvents(
    tx,
    previous.map(({ nid }) => nid),
  )
  const roots = previous.flatMap(({ nid, stateAfter }) =>
    provisional.has(nid) && stateAfter !== 0 ? [stateAfter] : [],
  )
  if (roots.length > 0) return roots
  if (isHistory) return undefined
  const entered = await partialRoom(tx, room.id)
  return [entered?.baseRoot ?? room.stateRoot]
}

/**
 * Returns a provisional state plus the members among an event's `auth_events` that it lacks. So the sender's
 * membership is known, and clients get the sender's member event.
 */
export async function withNamedMembers(tx: Tx, root: number, named: readonly StoredEvent[]): Promise<number> {
  const changes: StateChange[] = []
  for (const { nid, pdu, status } of named) {
    if (pdu.type !== 'm.room.member' || pdu.stateKey === undefined || status === EVENT_STATUS.rejected) continue
    const key = await internKey(tx, pdu.type, pdu.stateKey)
    if ((await stateAt(tx, root, key)) === undefined) changes.push({ key, event: nid })
  }
  return changeState(tx, root, changes)
}
