// SPDX-License-Identifier: Apache-2.0
import type { RoomId } from '@myelin/matrix/ids'
import { DatabaseCache } from '../../engine/cached-reader.ts'
import type { Read } from '../../engine/database.ts'
import { keyNames } from '../../engine/names.ts'
import { preparedList } from '../../engine/prepared.ts'
import type { Nid } from '../../schema/schema.ts'
import { stateDifference, wholeState } from './state.ts'

/** The state events of a room that are not of its members, by type and state key: the number of each event. */
export type OtherState = ReadonlyMap<string, ReadonlyMap<string, Nid>>

const cache = new DatabaseCache<{ readonly root: Nid; readonly state: OtherState }>('otherState', 10_000)

/**
 * Returns the state of a room without its members, which are most of a large room's state. The last one of each room is kept,
 * and the next is made from it by the difference of the two states.
 */
export async function otherState(db: Read, roomId: RoomId, root: Nid): Promise<OtherState> {
  const kept = cache.of(db).get(roomId)
  if (kept?.root === root) return kept.state
  const state = kept ? await changedState(db, kept, root) : await wholeOther(db, root)
  if (db.topicPositions.position !== undefined) cache.of(db).set(roomId, { root, state })
  return state
}

async function changedState(
  db: Read,
  kept: { readonly root: Nid; readonly state: OtherState },
  root: Nid,
): Promise<OtherState> {
  const changes = await stateDifference(db, kept.root, root)
  const names = await keyNames(
    db,
    changes.map(({ key }) => key),
  )
  const others = changes.flatMap(({ key, after }) => {
    const name = names.get(key)
    return name && name.type !== 'm.room.member' ? [{ ...name, after }] : []
  })
  if (others.length === 0) return kept.state
  const state = new Map(kept.state)
  for (const { type, stateKey, after } of others) {
    const ofType = new Map(state.get(type))
    if (after === undefined) ofType.delete(stateKey)
    else ofType.set(stateKey, after)
    if (ofType.size > 0) state.set(type, ofType)
    else state.delete(type)
  }
  return state
}

async function wholeOther(db: Read, root: Nid): Promise<OtherState> {
  const entries = await wholeState(db, root)
  const state = new Map<string, Map<string, Nid>>()
  // The names of a large room's members are not read.
  for (const { key_nid: key, type, state_key: stateKey } of await otherKeys(db, entries.keys())) {
    const event = entries.get(key)
    if (event === undefined) continue
    const ofType = state.get(type)
    if (ofType) ofType.set(stateKey, event)
    else state.set(type, new Map([[stateKey, event]]))
  }
  return state
}

const otherKeys = preparedList((db, keys: readonly Nid[]) =>
  db.selectFrom('state_keys').selectAll().where('key_nid', 'in', keys).where('type', '<>', 'm.room.member'),
)
