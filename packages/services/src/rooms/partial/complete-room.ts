// SPDX-License-Identifier: Apache-2.0
import type { EventId, ServerName } from '@myelin/matrix/ids'
import type { Tx } from '@myelin/storage/engine/database'
import { EVENT_STATUS, eventsById, eventsByNid } from '@myelin/storage/rooms/events/events'
import { forwardExtremitiesOf, MAX_LISTED } from '@myelin/storage/rooms/forward-extremities'
import { joinedServers } from '@myelin/storage/rooms/members/joined-servers'
import { precomputeMemberChanges } from '@myelin/storage/rooms/members/member-changes'
import type { PrecomputedMemberChanges } from '@myelin/storage/rooms/members/member-changes'
import {
  partialEvents,
  partialEventsOf,
  pendingPartialEvents,
  revertEvent,
} from '@myelin/storage/federation/partial-events'
import {
  dropPartialRoom,
  notePartialRoomLeft,
  partialRoom,
  putFullRoot,
} from '@myelin/storage/federation/partial-rooms'
import type { PartialRoom } from '@myelin/storage/federation/partial-rooms'
import { openRoom, roomById } from '@myelin/storage/rooms/rooms'
import type { OpenRoom } from '@myelin/storage/rooms/rooms'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { completePartialRoom } from '@myelin/storage/federation/complete-partial-room'
import { mayFederateWith } from '../../peers/trust/may-federate-with.ts'
import { isResident } from '../../room-state/servers-around.ts'
import type { Checker } from '../intake/check-incoming.ts'
import { keepStateAt } from '../intake/fetch-missing.ts'
import { resolvedRoot } from '../resolution/resolve-roots.ts'
import { isNeed } from '../resolution/unit-needs.ts'
import type { ResolutionNeed } from '../resolution/unit-needs.ts'
import { writeResolved } from '../resolution/write-resolved.ts'
import { roomVersionOf } from '../../room-state/versions.ts'
import { fetchStateBefore } from './fetch-state.ts'
import { fullStateOf } from './full-state.ts'
import { followsAlone, recalculateSome } from './recalculate.ts'
import type { Known } from './recalculate.ts'

/** The outcome of completing a room: complete, left by all local users, or no server sent the state. */
export type Completion = 'whole' | 'gone' | 'incomplete'

/** The most servers tried before the next attempt. */
const MAX_SERVERS = 10
/** The attempt from which a server may omit up to a tenth of the events it names, which may be lost for good. */
const FORGIVING_TRY = 3
const MAX_LOST = 0.1
/** The most missing events with successors for which the state is fetched. */
const MAX_EDGE = 50
const MAX_EDGE_SERVERS = 3
const MAX_PENDING = 10_000
const FAREWELL_MS = 1_800_000

/**
 * Completes a partially joined room: fetches its state, judges the events since the join anew, and publishes the
 * result in one unit. It resumes where it stopped. `signal` ends it between two steps.
 */
export async function completeRoom(rt: Checker, given: PartialRoom, signal: AbortSignal): Promise<Completion> {
  const version = roomVersionOf(given.roomVersion)
  const join = (await eventsByNid(rt.db.read, [given.join])).get(given.join)
  if (!join || !(await isResident(rt, given.roomId))) return leaveUnfinished(rt, given)
  const servers = await serversToAsk(rt, given)
  let { fullRoot } = given
  for (const server of fullRoot === 0 ? servers : []) {
    if (signal.aborted) return 'incomplete'
    const source = { server, roomId: given.roomId, version, room: given.room }
    const named = await fetchStateBefore(rt, source, join.pdu.id)
    const isWhole = named && named.lostCount <= (given.tries < FORGIVING_TRY ? 0 : named.ids.length * MAX_LOST)
    fullRoot = (isWhole && (await fullStateOf(rt, given, version, { ids: named.ids, join: join.pdu }))) || 0
    if (fullRoot !== 0) break
  }
  if (fullRoot === 0) return (await isResident(rt, given.roomId)) ? 'incomplete' : leaveUnfinished(rt, given)
  if (given.fullRoot === 0) await rt.db.write((tx) => putFullRoot(tx, given, fullRoot))
  const known: Known = { entered: { ...given, fullRoot }, version, join }
  await fetchEdgeStates(rt, known, servers)
  return catchUp(rt, known, signal)
}

/**
 * Ends the completion of a room that all local users left; its state stays as far as it was known. The assumed servers
 * stay known for a while, so that the leave reaches them.
 */
async function leaveUnfinished(rt: Checker, { room, roomId, join, leftTs }: PartialRoom): Promise<Completion> {
  const now = rt.clock.now()
  await rt.db.write(async (tx) => {
    const isBack = (await joinedServers(tx, roomId)).has(rt.serverName)
    if (isBack || (await partialRoom(tx, roomId))?.join !== join) return
    if (leftTs === 0) return notePartialRoomLeft(tx, room, now, now + FAREWELL_MS)
    await dropPartialRoom(tx, room)
    tx.touch(roomId)
  })
  return 'gone'
}

/**
 * Returns the servers to try: the one joined through, then those known to be in the room, then those the join answer
 * named.
 */
async function serversToAsk(rt: Checker, { roomId, servers }: PartialRoom): Promise<readonly ServerName[]> {
  const known = [...(await joinedServers(rt.db.read, roomId)).keys()]
  const all = new Set([...servers.slice(0, 1), ...known, ...servers])
  all.delete(rt.serverName)
  return [...all].filter((server) => mayFederateWith(rt, server)).slice(0, MAX_SERVERS)
}

/** Fetches the states of missing events that have successors. */
async function fetchEdgeStates(
  rt: Checker,
  { entered, version, join }: Known,
  servers: readonly ServerName[],
): Promise<void> {
  const pending = await eventsByNid(rt.db.read, await pendingPartialEvents(rt.db.read, entered.room, MAX_PENDING))
  const named = [...pending.values()].flatMap(({ nid, pdu }) => (nid === join.nid ? [] : pdu.prevEvents))
  const ids = [...new Set(named)].filter((id) => !followsAlone(join, id))
  const there = await eventsById(rt.db.read, ids)
  const known = new Set(there.flatMap(({ pdu, stateAfter }) => (stateAfter === 0 ? [] : [pdu.id])))
  for (const id of ids.filter((each) => !known.has(each)).slice(0, MAX_EDGE)) {
    for (const server of servers.slice(0, MAX_EDGE_SERVERS)) {
      if (await keepStateAt(rt, { server, roomId: entered.roomId, version }, id)) break
    }
  }
}

/** Judges the events since the join until none is left, and publishes the result in the unit that finds none. */
async function catchUp(rt: Checker, known: Known, signal: AbortSignal): Promise<Completion> {
  for (;;) {
    while (await writeResolved(rt, (tx) => recalculateSome(tx, known))) if (signal.aborted) return 'incomplete'
    const foreseen = await foresee(rt, known)
    const ended = foreseen ? await writeResolved(rt, (tx) => finish(tx, known, foreseen)) : 'gone'
    if (ended !== 'behind') return ended
  }
}

/** Computes the membership changes ahead of the unit that applies them. */
async function foresee(rt: Checker, known: Known): Promise<PrecomputedMemberChanges | undefined> {
  const { roomId, join } = known.entered
  const root = await writeResolved(rt, async (tx) => {
    const room = await openRoom(tx, roomId)
    if (!room || (await partialRoom(tx, roomId))?.join !== join) return undefined
    const end = await endOf(tx, room, known)
    return isNeed(end) ? end : end.root
  })
  const room = await roomById(rt.db.read, roomId)
  return root === undefined || !room ? undefined : precomputeMemberChanges(rt.db.read, room.stateRoot, root)
}

async function finish(
  tx: Tx,
  known: Known,
  foreseen: PrecomputedMemberChanges,
): Promise<Completion | 'behind' | ResolutionNeed> {
  const { entered, join } = known
  const room = await openRoom(tx, entered.roomId)
  if (!room || (await partialRoom(tx, entered.roomId))?.join !== entered.join) return 'gone'
  if ((await pendingPartialEvents(tx, room.nid, 1)).length > 0) return 'behind'
  const end = await endOf(tx, room, known)
  if (isNeed(end)) return end
  if (end.root !== foreseen.to || room.stateRoot !== foreseen.from) return 'behind'
  for (const nid of end.fallen) await revertEvent(tx, room.nid, nid)
  await completePartialRoom(tx, room, { ...end, join, foreseen })
  return 'whole'
}

type End = {
  readonly root: number
  readonly isUnsettled: boolean
  readonly extremityNids: readonly number[] | undefined
  readonly fallen: readonly number[]
}

/** Returns the resolved state of the room, and the events that are rejected now. */
async function endOf(tx: Tx, room: OpenRoom, { entered, version }: Known): Promise<End | ResolutionNeed> {
  const all = await partialEventsOf(tx, room.nid)
  const fallen = all.flatMap(({ nid, before, now }) =>
    before === EVENT_STATUS.accepted && now === EVENT_STATUS.rejected ? [nid] : [],
  )
  const hasFallen = new Set(fallen)
  const before = (await forwardExtremitiesOf(tx, room.nid)).map(({ nid }) => nid)
  const nids = all.map(({ nid }) => nid)
  const extremityNids = before.some((extremity) => hasFallen.has(extremity))
    ? await extremitiesAmong(tx, nids, hasFallen)
    : undefined
  // The state of a room that is forked this often is settled with its later events, as always.
  const listed = (extremityNids ?? before).slice(0, MAX_LISTED)
  const notes = await partialEvents(tx, listed)
  const roots = listed.flatMap((extremity) => notes.get(extremity)?.stateAfter ?? [])
  const root = await resolvedRoot(
    tx,
    { roomId: entered.roomId, version },
    roots.length > 0 ? roots : [entered.fullRoot],
  )
  if (isNeed(root)) return root
  return { root, isUnsettled: listed.length < (extremityNids ?? before).length, extremityNids, fallen }
}

/** Returns the forward extremities among these events; rejected events do not count as successors. */
async function extremitiesAmong(tx: Tx, nids: readonly number[], fallen: ReadonlySet<number>): Promise<number[]> {
  const events = [...(await eventsByNid(tx, nids)).values()]
  const counts = ({ nid, status, position }: StoredEvent) =>
    status === EVENT_STATUS.accepted && position !== null && !fallen.has(nid)
  const byId = new Map(events.map((event) => [event.pdu.id, event]))
  const covered = new Set<EventId>()
  const open = events.filter(counts).flatMap(({ pdu }) => pdu.prevEvents)
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const event = byId.get(id)
    if (covered.has(id)) continue
    covered.add(id)
    if (event && !counts(event)) open.push(...event.pdu.prevEvents)
  }
  return events.filter((event) => counts(event) && !covered.has(event.pdu.id)).map(({ nid }) => nid)
}
