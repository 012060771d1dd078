// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId, UserId } from '@myelin/matrix/ids'
import { inChunks } from '../engine/database.ts'
import type { Read } from '../engine/database.ts'
import { eventIdOf } from './events/event-ids.ts'
import type { Nid, Position } from '../schema/schema.ts'
import { decodeNode, isLeaf, nodeHash } from '../schema/state-trie.ts'

const PAGE = 500

/** A contradiction in the database. */
export interface DatabaseFault {
  readonly what: 'state node' | 'event' | 'room'
  /** The id, or the number of a thing that has none. */
  readonly name: string
  readonly fault: string
}

/** An event's row, for looking at it. */
export interface CheckedEvent {
  readonly nid: Nid
  readonly id: EventId
  readonly roomId: RoomId
  readonly roomVersion: string
  readonly type: string
  readonly stateKey: string | undefined
  readonly stateBefore: Nid
  readonly stateAfter: Nid
  readonly roomRoot: Nid
  readonly status: number
  readonly pdu: Uint8Array
}

/** A room's row, for looking at it. */
export interface CheckedRoom {
  readonly nid: Nid
  readonly id: RoomId
  readonly stateRoot: Nid
  readonly extremityNids: readonly Nid[]
  readonly extremityCount: number
  readonly joined: number
  readonly invited: number
  readonly lastPosition: Position
}

/** Returns the numbers of rows to check. */
export async function countRows(db: Read): Promise<{ nodes: number; events: number; rooms: number }> {
  const count = async (table: 'state_nodes' | 'events' | 'rooms') => {
    const row = await db
      .selectFrom(table)
      .select((row) => row.fn.countAll<number>().as('rows'))
      .executeTakeFirstOrThrow()
    return Number(row.rows)
  }
  return { nodes: await count('state_nodes'), events: await count('events'), rooms: await count('rooms') }
}

/** Returns every node of the state tries, page by page: whether its bytes are those its hash names, and all it leads to is there. */
export async function* nodeFaults(
  db: Read,
): AsyncGenerator<{ readonly seen: number; readonly faults: DatabaseFault[] }> {
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('state_nodes')
      .selectAll()
      .where('node_nid', '>', after)
      .orderBy('node_nid')
      .limit(PAGE)
      .execute()
    const last = rows.at(-1)
    if (!last) return
    after = last.node_nid
    const children = new Map<Nid, Nid>()
    const events = new Map<Nid, Nid>()
    const faults: DatabaseFault[] = []
    for (const { node_nid: nid, hash, body } of rows) {
      if (Buffer.compare(nodeHash(body), hash) !== 0)
        faults.push(nodeFault(nid, 'its bytes are not those its hash names'))
      const node = decodeNode(body)
      if (isLeaf(node)) for (const event of node.events) events.set(event, nid)
      else for (const child of node.children) children.set(child, nid)
    }
    const nodes = await present(db, 'state_nodes', [...children.keys()])
    for (const [child, nid] of children) if (!nodes.has(child)) faults.push(nodeFault(nid, `node ${child} is missing`))
    const kept = await present(db, 'events', [...events.keys()])
    for (const [event, nid] of events) if (!kept.has(event)) faults.push(nodeFault(nid, `event ${event} is missing`))
    yield { seen: rows.length, faults }
  }
}

const nodeFault = (nid: Nid, fault: string): DatabaseFault => ({ what: 'state node', name: `${nid}`, fault })

async function present(db: Read, table: 'state_nodes' | 'events', nids: readonly Nid[]): Promise<Set<Nid>> {
  const rows = await inChunks(nids, (chunk) =>
    table === 'events'
      ? db.selectFrom('events').select('event_nid as nid').where('event_nid', 'in', chunk).execute()
      : db.selectFrom('state_nodes').select('node_nid as nid').where('node_nid', 'in', chunk).execute(),
  )
  return new Set(rows.map((row) => row.nid))
}

/** Returns every event, page by page. */
export async function* everyEvent(db: Read): AsyncGenerator<CheckedEvent[]> {
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('events')
      .innerJoin('rooms', 'rooms.room_nid', 'events.room_nid')
      .select(['event_nid', 'event_id', 'room_id', 'room_version', 'type', 'state_key'])
      .select(['state_before', 'state_after', 'room_root', 'status', 'pdu'])
      .where('event_nid', '>', after)
      .orderBy('event_nid')
      .limit(PAGE)
      .execute()
    const last = rows.at(-1)
    if (!last) return
    after = last.event_nid
    yield rows.map((row) => ({
      nid: row.event_nid,
      id: eventIdOf(row.event_id),
      roomId: row.room_id,
      roomVersion: row.room_version,
      type: row.type,
      stateKey: row.state_key ?? undefined,
      stateBefore: row.state_before,
      stateAfter: row.state_after,
      roomRoot: row.room_root,
      status: row.status,
      pdu: row.pdu,
    }))
  }
}

/** Returns every room, page by page. */
export async function* everyRoom(db: Read): AsyncGenerator<CheckedRoom[]> {
  for (let after = 0; ; ) {
    const rows = await db
      .selectFrom('rooms')
      .selectAll()
      .where('room_nid', '>', after)
      .orderBy('room_nid')
      .limit(PAGE)
      .execute()
    const last = rows.at(-1)
    if (!last) return
    after = last.room_nid
    const more = await moreHeads(
      db,
      rows.map((row) => row.room_nid),
    )
    yield rows.map((row) => ({
      nid: row.room_nid,
      id: row.room_id,
      stateRoot: row.state_root,
      extremityNids: [...(JSON.parse(row.extremities) as Nid[]), ...(more.get(row.room_nid) ?? [])],
      extremityCount: row.head_count,
      joined: row.joined_count,
      invited: row.invited_count,
      lastPosition: row.last_position,
    }))
  }
}

async function moreHeads(db: Read, rooms: readonly Nid[]): Promise<Map<Nid, Nid[]>> {
  const rows = await db.selectFrom('more_heads').selectAll().where('room_nid', 'in', rooms).execute()
  const extremityNids = new Map<Nid, Nid[]>()
  for (const { room_nid: room, event_nid: event } of rows)
    extremityNids.set(room, [...(extremityNids.get(room) ?? []), event])
  return extremityNids
}

/** Returns the memberships of a room by user, as the table of members has them. */
export async function membershipsByUser(
  db: Read,
  room: Nid,
): Promise<Map<UserId, { readonly membership: string; readonly event: Nid }>> {
  const rows = await db
    .selectFrom('members')
    .innerJoin('users', 'users.user_nid', 'members.user_nid')
    .select(['users.user_id', 'members.membership', 'members.event_nid'])
    .where('members.room_nid', '=', room)
    .execute()
  return new Map(rows.map((row) => [row.user_id, { membership: row.membership, event: row.event_nid }]))
}
