// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { AuthNode } from './caches.ts'
import { inChunks } from './database.ts'
import type { Read } from './database.ts'
import { eventIdBytes, eventIdOf } from './event-ids.ts'
import { roomNid } from './names.ts'
import type { Nid } from './schema.ts'
import { storedPdu } from './stored-pdu.ts'

/**
 * The auth chain of some events of a room, names with numbers: their auth events, those of these, and so on; not the
 * events themselves, unless another leads to them.
 *
 * Walks level by level, so that a level costs one query; what was read once is kept. Rejected events and those of other
 * rooms end a path, as do events we do not have.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#pdus
 */
export async function authChainOf(db: Read, roomId: RoomId, starts: readonly EventId[]): Promise<Map<EventId, Nid>> {
  const chain = new Map<EventId, Nid>()
  const room = await roomNid(db, roomId)
  if (room === undefined) return chain
  const seen = new Set<EventId>()
  let level = [...new Set((await nodesOf(db, starts)).values().flatMap((node) => node.authEvents))]
  while (level.length > 0) {
    for (const id of level) seen.add(id)
    const next = new Set<EventId>()
    for (const [id, node] of await nodesOf(db, level)) {
      if (node.roomNid !== room || node.isRejected) continue
      chain.set(id, node.nid)
      for (const auth of node.authEvents) if (!seen.has(auth)) next.add(auth)
    }
    level = [...next]
  }
  return chain
}

async function nodesOf(db: Read, ids: readonly EventId[]): Promise<Map<EventId, AuthNode>> {
  const found = new Map<EventId, AuthNode>()
  const missing = ids.filter((id) => {
    const kept = db.caches.authNodes.get(id)
    if (kept) found.set(id, kept)
    return !kept
  })
  const rows = await inChunks(missing.map(eventIdBytes), (chunk) =>
    db
      .selectFrom('events')
      .select(['event_nid', 'event_id', 'room_nid', 'status', 'pdu'])
      .where('event_id', 'in', chunk)
      .execute(),
  )
  for (const row of rows) {
    const id = eventIdOf(row.event_id)
    const node: AuthNode = {
      nid: row.event_nid,
      roomNid: row.room_nid,
      isRejected: row.status === REJECTED,
      authEvents: storedPdu(row.pdu, id, '' as RoomId).authEvents,
    }
    found.set(id, node)
    // What a unit reads of its own may be taken back; and an event that is judged again is not rejected for ever.
    if (!('takePosition' in db) && !node.isRejected) db.caches.authNodes.set(id, node)
  }
  return found
}

const REJECTED = 2
