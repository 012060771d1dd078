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
 * The states that an event stands on in a room whose members are not known: those after the events it follows, as far as
 * these came since we entered, and where there are none, the state we were shown then. Undefined where the room's
 * members are known, or the event is history from before.
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
 * A provisional state with the members that an event names as its `auth_events`, where it does not know better: so its
 * sender is who they say they are until the members are known, and everybody who is shown the event is told who sent it.
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
