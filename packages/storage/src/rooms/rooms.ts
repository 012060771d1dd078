// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { Read, Tx } from '../engine/database.ts'
import { pdusByNid } from './events/events.ts'
import { keyNames, keyNid } from '../engine/names.ts'
import { prepared } from '../engine/prepared.ts'
import { roomRows } from './room-row.ts'
import type { Nid, Position, Tables } from '../schema/schema.ts'
import { stateAt, wholeState } from './state/state.ts'

// The estimated cost of naming an entry of a state.
const NAME_COST_US = 0.5

/** A room's row. */
export interface Room {
  readonly id: RoomId
  readonly roomVersion: string
  readonly stateRoot: Nid
  readonly depth: number
  readonly lastPosition: Position
  readonly joinedCount: number
  readonly invitedCount: number
  /** Listed in the public room directory. */
  readonly isPublished: boolean
  /** The number of events of the main timeline that notify users with the default push rules. */
  readonly notified: number
  /** The newest event that names one in front of it which is missing; 0 where there never was any. */
  readonly lastGap: Position
  /** Most of its members are not known yet. */
  readonly isPartial: boolean
  /** The position at which the members became known; 0 if the room never had partial state. */
  readonly wholePosition: Position
  /** The room's state until then, as far as it was known. */
  readonly provisionalRoot: Nid
  /** The number of the room's forward extremities. */
  readonly extremityCount: number
  /** The state is not yet the resolution of all forward extremities. */
  readonly isUnsettled: boolean
  /** The position of the last change of state without an event; 0 if there is none. */
  readonly lastResolution: Position
  /** The last event that moves the room up in a client's list; 0 where there is none. */
  readonly bumpPosition: Position
}

/** A room that only this unit can extend. Only {@link openRoom} and {@link createRoomRow} create one. */
class OpenRoom implements Room {
  readonly #row: Tables['rooms']
  /** The oldest 20 forward extremities: the next event names them in `prev_events`. */
  readonly extremities: readonly EventId[]
  /** The same, as numbers, in the same order. */
  readonly extremityNids: readonly Nid[]

  constructor(row: Tables['rooms'], extremities: ReadonlyMap<Nid, EventId>) {
    this.#row = row
    this.extremities = [...extremities.values()]
    this.extremityNids = [...extremities.keys()]
  }
  get id(): RoomId {
    return this.#row.room_id
  }
  get nid(): Nid {
    return this.#row.room_nid
  }
  get roomVersion(): string {
    return this.#row.room_version
  }
  get stateRoot(): Nid {
    return this.#row.state_root
  }
  get depth(): number {
    return this.#row.depth
  }
  get lastPosition(): Position {
    return this.#row.last_position
  }
  get joinedCount(): number {
    return this.#row.joined_count
  }
  get invitedCount(): number {
    return this.#row.invited_count
  }
  get isPublished(): boolean {
    return this.#row.is_published === 1
  }
  /** The number of events of the main timeline that notify users with the default push rules. */
  get notified(): number {
    return this.#row.notified
  }
  /** The newest event that names one in front of it which is missing; 0 where there never was any. */
  get lastGap(): Position {
    return this.#row.last_hole
  }
  /** The number of the room's forward extremities. */
  get extremityCount(): number {
    return this.#row.head_count
  }
  /** The state is not yet the resolution of all forward extremities. */
  get isUnsettled(): boolean {
    return this.#row.is_unsettled === 1
  }
  /** The position of the last change of state without an event; 0 if there is none. */
  get lastResolution(): Position {
    return this.#row.last_move
  }
  /** The last event that moves the room up in a client's list; 0 where there is none. */
  get bumpPosition(): Position {
    return this.#row.bump_position
  }
  get opened(): number {
    return this.#row.opened
  }
  get isPartial(): boolean {
    return this.#row.is_partial === 1
  }
  get wholePosition(): Position {
    return this.#row.whole_position
  }
  get provisionalRoot(): Nid {
    return this.#row.provisional_root
  }

  /** The room's row once an event has moved it on. */
  movedBy(changes: Omit<RoomChanges, 'opened'>): Tables['rooms'] {
    return { ...this.#row, ...changes, opened: this.#row.opened + 1 }
  }
}

/** The columns of its room's row that an event changes. */
type RoomChanges = Pick<
  Tables['rooms'],
  | 'extremities'
  | 'head_count'
  | 'is_unsettled'
  | 'depth'
  | 'state_root'
  | 'opened'
  | 'last_position'
  | 'notified'
  | 'joined_count'
  | 'invited_count'
  | 'bump_position'
>

export type { OpenRoom }

const rowOf = prepared((db, roomId: RoomId) => db.selectFrom('rooms').selectAll().where('room_id', '=', roomId))

/** Opens a room for appending events; undefined where there is none. Units run one after the other and hold the log. */
export async function openRoom(tx: Tx, roomId: RoomId): Promise<OpenRoom | undefined> {
  const row = await rowToExtend(tx, roomId)
  if (!row) return undefined
  const extremityNids = JSON.parse(row.extremities) as Nid[]
  const pdus = await pdusByNid(tx, extremityNids)
  return new OpenRoom(
    row,
    new Map(
      extremityNids.flatMap((nid) => {
        const pdu = pdus.get(nid)
        return pdu ? [[nid, pdu.id]] : []
      }),
    ),
  )
}

async function rowToExtend(tx: Tx, roomId: RoomId): Promise<Tables['rooms'] | undefined> {
  const known = tx.known.row(roomRows, roomId)
  if (known) return known
  const [row] = await rowOf(tx, roomId)
  if (row) tx.known.keep(roomRows, row)
  return row
}

/** Returns a new room without events, open. */
export async function createRoomRow(tx: Tx, roomId: RoomId, roomVersion: string): Promise<OpenRoom> {
  const row: Tables['rooms'] = {
    room_nid: tx.takeNid(),
    room_id: roomId,
    room_version: roomVersion,
    extremities: '[]',
    depth: 0,
    state_root: 0,
    opened: 0,
    last_position: 0,
    joined_count: 0,
    invited_count: 0,
    is_published: 0,
    notified: 0,
    last_hole: 0,
    is_partial: 0,
    whole_position: 0,
    provisional_root: 0,
    head_count: 0,
    is_unsettled: 0,
    last_move: 0,
    bump_position: 0,
  }
  await tx.insertInto('rooms').values(row).execute()
  return new OpenRoom(row, new Map())
}

/** Corrects the version of a room that this server was never in, after an invite named a wrong one. */
export async function correctRoomVersion(tx: Tx, roomId: RoomId, roomVersion: string): Promise<void> {
  await tx
    .updateTable('rooms')
    .set({ room_version: roomVersion })
    .where('room_id', '=', roomId)
    .where('state_root', '=', 0)
    .execute()
  tx.touch(roomId)
  tx.onCommit(() => tx.caches.roomVersions.delete(roomId))
}

/** Returns a room's row. */
export async function roomById(db: Read, roomId: RoomId): Promise<Room | undefined> {
  const [row] = await rowOf(db, roomId)
  return row && new OpenRoom(row, new Map())
}

/** Returns the version of a room that is there. */
export async function versionOfRoom(db: Read, roomId: RoomId): Promise<string> {
  const kept = db.caches.roomVersions.get(roomId)
  if (kept !== undefined) return kept
  const [row] = await rowOf(db, roomId)
  if (!row) throw new Error(`no such room: ${roomId}`)
  if (!('takePosition' in db)) db.caches.roomVersions.set(roomId, row.room_version)
  return row.room_version
}

/** Returns the event that holds a state key under a root. */
export async function stateEventNid(db: Read, root: Nid, type: string, stateKey: string): Promise<Nid | undefined> {
  const key = await keyNid(db, type, stateKey)
  return key === undefined ? undefined : stateAt(db, root, key)
}

/** Returns a whole state in numbers and words: each key's event and its name. */
export async function namedState(
  db: Read,
  root: Nid,
): Promise<{ readonly type: string; readonly stateKey: string; readonly event: Nid }[]> {
  const entries = await wholeState(db, root)
  const names = await keyNames(db, [...entries.keys()])
  const named: { readonly type: string; readonly stateKey: string; readonly event: Nid }[] = []
  for (const [key, event] of entries) {
    const name = names.get(key)
    if (name) named.push({ type: name.type, stateKey: name.stateKey, event })
    const pausing = step(NAME_COST_US)
    if (pausing) await pausing
  }
  return named
}

/** Lists or unlists a room in the public room directory. */
export async function publishRoom(tx: Tx, roomId: RoomId, isPublished: boolean): Promise<void> {
  await tx
    .updateTable('rooms')
    .set({ is_published: isPublished ? 1 : 0 })
    .where('room_id', '=', roomId)
    .execute()
}
