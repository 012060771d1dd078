// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { authorize } from '@myelin/rules/auth/authorize'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { inChunks } from '@myelin/storage/database'
import type { Tx } from '@myelin/storage/database'
import { EVENT_STATUS, eventsById } from '@myelin/storage/events'
import { internKeysOf } from '@myelin/storage/outliers'
import type { PartialRoom } from '@myelin/storage/partial-rooms'
import { buildState, wholeState } from '@myelin/storage/state'
import type { StoredEvent } from '@myelin/storage/stored-event'
import type { Checker } from '../intake/check-incoming.ts'
import { loadAuthState } from '../load-auth-state.ts'

/**
 * The root of the state we were shown when we entered a room, with the members that another server names; undefined
 * where what it names is no state of this room, or does not allow our join.
 *
 * Only members are taken: whoever is asked later cannot change what the room is. And who is known stays who they were.
 */
export async function fullStateOf(
  rt: Pick<Checker, 'db'>,
  entered: PartialRoom,
  version: RoomVersion,
  { ids, join }: { readonly ids: readonly EventId[]; readonly join: Pdu },
): Promise<number | undefined> {
  const events = await inChunks(ids, (chunk) => eventsById(rt.db.read, chunk))
  if (!isStateOf(entered, events)) return undefined
  const members = events.filter(({ status, pdu }) => status !== EVENT_STATUS.rejected && pdu.type === 'm.room.member')
  const root = await rt.db.write((tx) => withMembers(tx, entered.baseRoot, members))
  const { state } = await loadAuthState(rt.db.read, root, join, version)
  return authorize(join, state).allowed ? root : undefined
}

/** State events of the room, one a key. */
function isStateOf({ roomId }: PartialRoom, events: readonly StoredEvent[]): boolean {
  const keys = new Set<string>()
  for (const { pdu } of events) {
    const key = pdu.stateKey === undefined ? undefined : stateKey(pdu.type, pdu.stateKey)
    if (pdu.roomId !== roomId || key === undefined || keys.has(key)) return false
    keys.add(key)
  }
  return true
}

async function withMembers(tx: Tx, base: number, members: readonly StoredEvent[]): Promise<number> {
  const keys = await internKeysOf(
    tx,
    members.map(({ pdu }) => pdu),
  )
  const entries = await wholeState(tx, base)
  for (const { nid, pdu } of members) {
    const key = keys.get(pdu.type)?.get(pdu.stateKey ?? '')
    if (key !== undefined && !entries.has(key)) entries.set(key, nid)
  }
  return buildState(tx, entries)
}
