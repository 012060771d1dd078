// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Json } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Tx } from '@myelin/storage/engine/database'
import { placesBefore } from '@myelin/storage/rooms/events/history-positions'
import { backwardExtremities } from '@myelin/storage/rooms/events/outliers'
import { openRoom, versionOfRoom } from '@myelin/storage/rooms/rooms'
import { residentServers } from '../../room-state/resident-servers.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import { appendForeign } from '../append/append-foreign.ts'
import type { PduOutcome } from '../append/append-foreign.ts'
import { checkIncoming } from './check-incoming.ts'
import type { Checker } from './check-incoming.ts'
import type { Source } from './fetch-events.ts'
import { keepAuthEvents, keepStateAt } from './fetch-missing.ts'
import { inOrder } from '../append/judge.ts'
import { isNeed } from '../resolution/unit-needs.ts'
import type { ResolutionNeed } from '../resolution/unit-needs.ts'
import { writeResolved } from '../resolution/write-resolved.ts'

const LIMIT = 100
const TIMEOUT_MS = 20_000
/** The most servers that are tried for one gap. */
const MAX_SERVERS = 3
/** The most events at the edge of a page of history for which the state is fetched. */
const MAX_EDGE = 20

/** A gap in a room's history: events missing before the event at a position. */
export interface TimelineGap {
  readonly position: number
  readonly missing: readonly EventId[]
}

/** Returns the gaps between two positions, the newest first. */
export async function timelineGaps(
  rt: Pick<Checker, 'db'>,
  roomId: RoomId,
  after: number,
  upTo: number,
): Promise<TimelineGap[]> {
  const gaps = new Map<number, EventId[]>()
  for (const { eventId, position } of await backwardExtremities(rt.db.read, roomId)) {
    if (position <= after || position > upTo) continue
    const gap = gaps.get(position)
    if (gap) gap.push(eventId)
    else gaps.set(position, [eventId])
  }
  return [...gaps].map(([position, missing]) => ({ position, missing }))
}

/**
 * Backfills a gap from servers in the room, one after the other until one has events, and returns how many were
 * stored.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#backfilling-and-retrieving-missing-events
 */
export async function backfillGap(rt: Checker, roomId: RoomId, gap: TimelineGap): Promise<number> {
  const version = roomVersionOf(await versionOfRoom(rt.db.read, roomId))
  const servers = (await residentServers(rt, roomId)).filter((server) => server !== rt.serverName)
  for (const server of servers.slice(0, MAX_SERVERS)) {
    const source: Source = { server, roomId, version }
    const pdus = await askForHistory(rt, source, gap)
    const landed = pdus.length === 0 ? 0 : await keepHistory(rt, source, gap, pdus)
    if (landed > 0) return landed
  }
  return 0
}

async function askForHistory(rt: Checker, source: Source, gap: TimelineGap): Promise<Pdu[]> {
  const query = { v: gap.missing.slice(0, 20), limit: LIMIT }
  const target = federationPath(['federation', 'v1', 'backfill', source.roomId], query)
  try {
    const call = { method: 'GET', target, timeoutMs: TIMEOUT_MS, keepNumbers: true } as const
    const list = member(await rt.remote.call(source.server, call), 'pdus')
    const jsons = Array.isArray(list) ? (list as readonly Json[]).slice(0, LIMIT) : []
    return await checkIncoming(rt, jsons, source, { isBackfill: true })
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    rt.remote.reportFailure(source.server, cause)
    return []
  }
}

/**
 * Stores backfilled events before their successors; the oldest are judged by the state fetched from the other server.
 */
async function keepHistory(rt: Checker, source: Source, gap: TimelineGap, pdus: readonly Pdu[]): Promise<number> {
  const ordered = connected(pdus, gap.missing)
  await keepAuthEvents(rt, source, ordered)
  await fetchEdgeStates(rt, source, ordered)
  let landed = 0
  const receivedTs = rt.clock.now()
  for (let at = 0; at < ordered.length; ) {
    const outcomes = await writeResolved(rt, (tx) =>
      keepSome(tx, source, gap, { ordered: ordered.slice(at), receivedTs }),
    )
    if (outcomes.length === 0) break
    at += outcomes.length
    landed += outcomes.filter((outcome) => outcome === 'appended').length
  }
  return landed
}

/** Stores the oldest backfilled events, up to the first that needs a state resolution, and returns each outcome. */
async function keepSome(
  tx: Tx,
  { roomId, version }: Source,
  gap: TimelineGap,
  { ordered, receivedTs }: { readonly ordered: readonly Pdu[]; readonly receivedTs: number },
): Promise<(PduOutcome | 'no place')[] | ResolutionNeed> {
  const room = await openRoom(tx, roomId)
  if (!room) return []
  const places = await placesBefore(tx, room.nid, gap.position, ordered.length)
  const outcomes: (PduOutcome | 'no place')[] = []
  // The oldest first, so that each event finds the state of its predecessors; the newest gets the first position.
  for (const [index, pdu] of ordered.entries()) {
    const historicPosition = places[ordered.length - 1 - index]
    const isPlaced = historicPosition !== undefined
    const outcome = isPlaced
      ? await appendForeign(tx, room, { pdu, version, historicPosition, receivedTs })
      : 'no place'
    if (!isNeed(outcome)) outcomes.push(outcome)
    else if (outcomes.length === 0) return outcome
    else break
  }
  return outcomes
}

/**
 * Fetches the states before the oldest backfilled events. A server whose own history ends there lacks their
 * predecessors, but knows the state before the events that it has.
 */
async function fetchEdgeStates(rt: Checker, source: Source, ordered: readonly Pdu[]): Promise<void> {
  const own = new Set(ordered.map(({ id }) => id))
  const asked = new Map<EventId, boolean>()
  for (const pdu of ordered) {
    for (const id of pdu.prevEvents) {
      if (own.has(id) || asked.size >= MAX_EDGE) continue
      if (!asked.has(id)) asked.set(id, await keepStateAt(rt, source, id))
      if (asked.get(id) === false) await keepStateAt(rt, source, pdu.id)
    }
  }
}

/**
 * Returns the backfilled events that the gap's missing events lead to, the oldest first, so that a server cannot
 * insert unrelated events into the history.
 */
function connected(pdus: readonly Pdu[], missing: readonly EventId[]): Pdu[] {
  const all = new Map(pdus.map((pdu) => [pdu.id, pdu]))
  const wanted = new Set<EventId>()
  const open = [...missing]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (wanted.has(id)) continue
    wanted.add(id)
    open.push(...(all.get(id)?.prevEvents ?? []))
  }
  return inOrder(
    pdus.filter(({ id }) => wanted.has(id)),
    ({ prevEvents }) => prevEvents,
  )
}
