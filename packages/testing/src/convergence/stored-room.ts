// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, ServerName } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { stateKey } from '@myelin/rules/auth/state-key'
import type { StateKey } from '@myelin/rules/auth/state-key'
import type { RoomVersion } from '@myelin/rules/room-versions'
import { roomVersionOf } from '@myelin/services/room-state/versions'
import type { Read } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsByNid } from '@myelin/storage/rooms/events/events'
import { everyEvent } from '@myelin/storage/rooms/integrity'
import { roomNid } from '@myelin/storage/engine/names'
import { namedState, roomById } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'

/** A state of a room: an event a key. */
export type State = ReadonlyMap<StateKey, EventId>

/** Everything that a server's database has of a room, as input for an independent computation. */
export interface StoredRoom {
  readonly server: ServerName
  readonly version: RoomVersion
  /** Every event it has, with what became of it. */
  readonly events: ReadonlyMap<EventId, StoredEvent>
  readonly pdus: ReadonlyMap<EventId, Pdu>
  readonly rejected: ReadonlySet<EventId>
  /** The states at the roots that its events name. */
  readonly states: ReadonlyMap<number, State>
  /** The roots of all states that the room has ever been in here, in their order; the last is that of now. */
  readonly been: readonly number[]
}

/** Reads it. */
export async function loadStoredRoom(server: ServerName, db: Read, roomId: RoomId): Promise<StoredRoom> {
  const nids: number[] = []
  for await (const page of everyEvent(db)) for (const event of page) if (event.roomId === roomId) nids.push(event.nid)
  const byNid = await eventsByNid(db, nids)
  const events = new Map([...byNid.values()].map((event) => [event.pdu.id, event]))
  const room = await roomById(db, roomId)
  const places = [...[...events.values()].filter(isNews).map(placeOf), ...(await movesOf(db, roomId))]
  const ordered = places.toSorted((a, b) => a.position - b.position).map(({ root }) => root)
  const been = [...ordered, room?.stateRoot ?? 0]
  const roots = new Set(been)
  for (const { stateBefore, stateAfter, roomRoot } of events.values()) {
    for (const root of [stateBefore, stateAfter, roomRoot]) roots.add(root)
  }
  const states = new Map<number, State>()
  for (const root of roots) {
    const entries = await namedState(db, root)
    const named = entries.flatMap(({ type, stateKey: key, event }) => {
      const id = byNid.get(event)?.pdu.id
      return id === undefined ? [] : [[stateKey(type, key), id] as const]
    })
    if (named.length !== entries.length) throw new Error(`a state of ${roomId} has events that are not there`)
    states.set(root, new Map(named))
  }
  return {
    server,
    version: roomVersionOf(room?.roomVersion ?? ''),
    events,
    pdus: new Map([...events].map(([id, { pdu }]) => [id, pdu])),
    rejected: new Set([...events.values()].flatMap((it) => (it.status === EVENT_STATUS.rejected ? [it.pdu.id] : []))),
    states,
    been,
  }
}

/** Backfilled events have positions between the integers of the log, or below them. */
const isNews = ({ position }: StoredEvent) => position !== null && position > 0 && Number.isInteger(position)

const placeOf = ({ position, roomRoot: root }: StoredEvent) => ({ position: position ?? 0, root })

/** Returns the changes of state without an event, after expensive resolutions of forks. */
async function movesOf(db: Read, roomId: RoomId): Promise<{ readonly position: number; readonly root: number }[]> {
  const nid = await roomNid(db, roomId)
  if (nid === undefined) return []
  const rows = await db
    .selectFrom('state_moves')
    .select(['position', 'state_root'])
    .where('room_nid', '=', nid)
    .execute()
  return rows.map((row) => ({ position: row.position, root: row.state_root }))
}
