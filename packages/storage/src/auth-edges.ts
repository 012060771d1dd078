// SPDX-License-Identifier: Apache-2.0
import type { Pdu } from '@myelin/matrix/pdu'
import { inChunks } from './database.ts'
import type { Read, Tx } from './database.ts'
import { eventIdBytes, eventIdOf } from './event-ids.ts'
import type { Nid } from './schema.ts'

/**
 * The numbers of the events a state event names as its `auth_events`; undefined for other events, which no auth chain
 * leads through. Those we do not have are left out.
 */
export async function authNidsOf(tx: Tx, event: Pdu): Promise<readonly Nid[] | undefined> {
  if (event.stateKey === undefined) return undefined
  const nids = await nidsOfEvents(tx, event.authEvents)
  return event.authEvents.flatMap((id) => nids.get(id) ?? [])
}

/** The numbers of the events among these that we have. */
export async function nidsOfEvents(db: Read, ids: Pdu['authEvents']): Promise<Map<Pdu['id'], Nid>> {
  const nids = new Map<Pdu['id'], Nid>()
  const missing = ids.filter((id) => {
    const kept = db.caches.eventNids.get(id)
    if (kept !== undefined) nids.set(id, kept)
    return kept === undefined
  })
  const rows = await inChunks(missing.map(eventIdBytes), (chunk) =>
    db.selectFrom('events').select(['event_id', 'event_nid']).where('event_id', 'in', chunk).execute(),
  )
  for (const row of rows) {
    const id = eventIdOf(row.event_id)
    nids.set(id, row.event_nid)
    const { caches } = db
    const keep = () => caches.eventNids.set(id, row.event_nid)
    if ('onCommit' in db) (db as Tx).onCommit(keep)
    else keep()
  }
  return nids
}

/** The auth events of state events, by number. */
export async function authEdges(db: Read, nids: readonly Nid[]): Promise<Map<Nid, readonly Nid[]>> {
  const edges = new Map<Nid, readonly Nid[]>()
  const missing = nids.filter((nid) => {
    const kept = db.caches.authNids.get(nid)
    if (kept) edges.set(nid, kept)
    return !kept
  })
  const rows = await inChunks(missing, (chunk) =>
    db.selectFrom('events').select(['event_nid', 'auth_nids']).where('event_nid', 'in', chunk).execute(),
  )
  for (const row of rows) {
    const list = JSON.parse(row.auth_nids ?? '[]') as Nid[]
    edges.set(row.event_nid, list)
    db.caches.authNids.set(row.event_nid, list)
  }
  return edges
}

/**
 * The auth chain of some events, by number: not the events themselves, unless another leads to them.
 *
 * Walks level by level; ends early once everything in `wanted`, if given, is found, or more than `most`.
 */
export async function authChainOf(
  db: Read,
  nids: Iterable<Nid>,
  { wanted, most = Infinity }: { readonly wanted?: ReadonlySet<Nid>; readonly most?: number } = {},
): Promise<Set<Nid>> {
  const chain = new Set<Nid>()
  let missing = wanted?.size ?? Infinity
  let level = [...nids]
  while (level.length > 0 && missing > 0 && chain.size <= most) {
    const next = new Set<Nid>()
    for (const list of (await authEdges(db, level)).values()) {
      for (const nid of list) {
        if (chain.has(nid)) continue
        chain.add(nid)
        next.add(nid)
        if (wanted?.has(nid)) missing--
      }
    }
    level = [...next]
  }
  return chain
}
