// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { AuthState } from '@myelin/rules/auth/auth-state'
import { neededState } from '@myelin/rules/auth/needed-state'
import type { NeedsState, StateKeyPair } from '@myelin/rules/auth/needed-state'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { StateKey } from '@myelin/rules/auth/state-key'
import type { RoomVersion } from '@myelin/rules/room-versions'
import type { Read } from '@myelin/storage/engine/database'
import { pdusByNid } from '@myelin/storage/rooms/events/events'
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import { stateEventNid } from '@myelin/storage/rooms/rooms'
import { EMPTY_STATE } from '@myelin/storage/schema/state-trie'

/** Returns some state events of a room, by type and state key. */
export async function loadState(db: Read, root: number, pairs: readonly StateKeyPair[]): Promise<Map<StateKey, Pdu>> {
  const nids = new Map<StateKey, number>()
  for (const [type, key] of pairs) {
    const nid = await stateEventNid(db, root, type, key)
    if (nid !== undefined) nids.set(stateKey(type, key), nid)
  }
  const pdus = await pdusByNid(db, [...nids.values()])
  const state = new Map<StateKey, Pdu>()
  for (const [key, nid] of nids) {
    const pdu = pdus.get(nid)
    if (pdu) state.set(key, pdu)
  }
  return state
}

/** Returns one state event of a room. */
export async function loadStateEvent(db: Read, root: number, type: string, key = ''): Promise<Pdu | undefined> {
  return (await loadState(db, root, [[type, key]])).get(stateKey(type, key))
}

/**
 * Returns the state by which the rules judge a draft, and the IDs that become its `auth_events`.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#auth-events-selection
 */
export async function loadAuthState(
  db: Read,
  root: number,
  draft: NeedsState,
  version: RoomVersion,
): Promise<{ readonly state: AuthState; readonly authEvents: readonly EventId[] }> {
  const { type, sender } = draft
  // The empty state belongs to rooms of every version; a member event needs more than its sender's state.
  if (root === EMPTY_STATE || type === 'm.room.member' || type === 'm.room.create') {
    return readAuthState(db, root, draft, version)
  }
  const cache = ofSenders.of(db)
  const name = `${root} ${sender}`
  let ground = cache.get(name)
  if (!ground) cache.set(name, (ground = await readAuthState(db, root, draft, version)))
  return ground
}

type Ground = { readonly state: AuthState; readonly authEvents: readonly EventId[] }

/** The auth state of each room state without memberships, valid as long as the room's state is. */
const ofSenders = new DatabaseCache<Ground>('authStates', 5_000)

async function readAuthState(db: Read, root: number, draft: NeedsState, version: RoomVersion): Promise<Ground> {
  const needed = neededState(draft, version)
  const create: StateKeyPair = ['m.room.create', '']
  const events = await loadState(db, root, needed.some(([type]) => type === create[0]) ? needed : [...needed, create])
  const authEvents = needed.flatMap(([type, key]) => events.get(stateKey(type, key))?.id ?? [])
  return { state: new AuthState(version, events), authEvents }
}
