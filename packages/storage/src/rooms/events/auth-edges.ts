// SPDX-License-Identifier: Apache-2.0
import type { Pdu } from '@myelin/matrix/pdu'
import { inChunks } from '../../engine/database.ts'
import type { Read, Tx } from '../../engine/database.ts'
import { eventIdBytes, eventIdOf } from './event-ids.ts'
import { pdusByNid } from './events.ts'
import type { Nid } from '../../schema/schema.ts'

/** The placeholder for an event that was not stored when the event that names it was. */
const UNKNOWN = 0

/**
 * Returns the numbers of the events a state event names as its `auth_events`; undefined for other events, which no auth chain
 * leads through. A missing event is 0, so that it is looked up again.
 */
export async function authNidsOf(tx: Tx, event: Pdu): Promise<readonly Nid[] | undefined> {
  if (event.stateKey === undefined) return undefined
  const nids = await nidsOfEvents(tx, event.authEvents)
  return event.authEvents.map((id) => nids.get(id) ?? UNKNOWN)
}

/** Returns the numbers of the stored events among some. */
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

/**
 * Returns the auth events of state events, by number, without those that are not stored. An event stored before its
 * auth events, such as an invite to a room of other servers, leads to them once they are stored.
 */
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
    if (!list.includes(UNKNOWN)) db.caches.authNids.set(row.event_nid, list)
  }
  const early = rows.flatMap((row) => (edges.get(row.event_nid)?.includes(UNKNOWN) ? [row.event_nid] : []))
  for (const [nid, { authEvents }] of early.length > 0 ? await pdusByNid(db, early) : []) {
    const found = await nidsOfEvents(db, authEvents)
    edges.set(
      nid,
      authEvents.flatMap((id) => found.get(id) ?? []),
    )
  }
  return edges
}

/** Returns the events that were written before all of their auth events were stored. */
export async function writtenEarly(db: Read, nids: readonly Nid[]): Promise<Set<Nid>> {
  const rows = await inChunks(nids, (chunk) =>
    db.selectFrom('events').select(['event_nid', 'auth_nids']).where('event_nid', 'in', chunk).execute(),
  )
  const isEarly = (list: string | null) => (JSON.parse(list ?? '[]') as Nid[]).includes(UNKNOWN)
  return new Set(rows.flatMap((row) => (isEarly(row.auth_nids) ? [row.event_nid] : [])))
}

/**
 * Returns the auth chain of some events, by number: not the events themselves, unless another leads to them.
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
