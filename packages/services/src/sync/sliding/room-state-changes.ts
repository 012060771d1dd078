// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import { keyNames } from '@myelin/storage/engine/names'
import type { Read } from '@myelin/storage/engine/database'
import { namedState, stateEventNid } from '@myelin/storage/rooms/rooms'
import type { RoomId } from '@myelin/matrix/ids'
import { otherState } from '@myelin/storage/rooms/state/other-state'
import { stateDifference } from '@myelin/storage/rooms/state/state'
import type { StateSelection } from './required-state.ts'

// The estimated cost of matching an entry of a state.
const ENTRY_COST_US = 0.5

/** A key in which two states of a room differ, in words. */
export interface NamedChange {
  readonly type: string
  readonly stateKey: string
  /** The number of the event that holds it now; undefined where none does any more. */
  readonly event: number | undefined
}

/** Returns the keys in which two states differ. */
export async function namedChanges(db: Read, before: number, after: number): Promise<NamedChange[]> {
  if (before === after) return []
  const changes = await stateDifference(db, before, after)
  const names = await keyNames(
    db,
    changes.map(({ key }) => key),
  )
  return changes.flatMap(({ key, after: event }) => {
    const name = names.get(key)
    return name ? [{ ...name, event }] : []
  })
}

/** A state of a room. */
export interface StatePlace {
  readonly roomId: RoomId
  readonly root: number
}

/** Returns the events of a state that a selection wants, unless it wanted them `before`. */
export async function selectedState(
  db: Read,
  { roomId, root }: StatePlace,
  selection: StateSelection,
  before?: StateSelection,
): Promise<number[]> {
  if (selection.isEmpty) return []
  const isNew = (type: string, key: string) => selection.matches(type, key) && !before?.matches(type, key)
  const events: number[] = []
  for (const [type, ofType] of await otherState(db, roomId, root))
    for (const [key, event] of ofType) if (isNew(type, key)) events.push(event)
  if (selection.wantsAllMembers) {
    if (before?.wantsAllMembers) return events
    for (const { type, stateKey, event } of await namedState(db, root)) {
      const pausing = step(ENTRY_COST_US)
      if (pausing) await pausing
      if (type === 'm.room.member' && isNew(type, stateKey)) events.push(event)
    }
    return events
  }
  const named = [...selection.namedMembers].filter((member) => isNew('m.room.member', member))
  return [...events, ...(await memberEvents(db, root, named))]
}

/** Returns the member events of users in a state. */
export async function memberEvents(db: Read, root: number, users: Iterable<string>): Promise<number[]> {
  const events: number[] = []
  for (const user of users) {
    const event = await stateEventNid(db, root, 'm.room.member', user)
    if (event !== undefined) events.push(event)
  }
  return events
}
