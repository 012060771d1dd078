// SPDX-License-Identifier: Apache-2.0
import type { EventId, RoomId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import type { Tx } from '@myelin/storage/engine/database'
import { roomNid } from '@myelin/storage/engine/names'
import { eventsById, pdusByNid } from '@myelin/storage/rooms/events/events'
import { firstOfRoom } from '@myelin/storage/rooms/events/history-positions'
import { partialRoom } from '@myelin/storage/federation/partial-rooms'
import { openRoom, roomById } from '@myelin/storage/rooms/rooms'
import { appendForeign } from '../append/append-foreign.ts'
import type { PduOutcome } from '../append/append-foreign.ts'
import { asHashedAll, withGoodSignatures } from './check-incoming.ts'
import type { Checker } from './check-incoming.ts'
import { fetchGap, missingAmong } from './fetch-events.ts'
import type { Source } from './fetch-events.ts'
import { keepAuthEvents, keepStateAt } from './fetch-missing.ts'
import { inOrder } from '../append/judge.ts'
import { finishRemovals } from '../append/redact-removed.ts'
import { isNeed } from '../resolution/unit-needs.ts'
import type { ResolutionNeed } from '../resolution/unit-needs.ts'
import { recommended } from './recommended.ts'
import { writeResolved } from '../resolution/write-resolved.ts'

/** The most unknown `prev_events` of a batch whose state is fetched. */
const MAX_STATES = 5
/** The most events judged in one unit of work, fewer in a forked room, where each has states to resolve. */
const EVENTS_A_UNIT = 25
const FORKS_A_UNIT = 4

/** Drops, changes or completes arrived events; may use the network. */
type ArrivalCheck = (rt: Checker, source: Source, pdus: readonly Pdu[]) => Promise<readonly Pdu[]>

/**
 * The checks of arrived events that come before the unit of work, in the spec's order. Parsing and the server ACL come
 * before staging (`federation/receive/transaction.ts`); `checks.ts` has those inside the unit.
 */
const ARRIVAL_CHECKS: readonly ArrivalCheck[] = [
  // Drops events without the signatures they need; fetches keys.
  (rt, { version }, pdus) => withGoodSignatures(rt, pdus, version),
  // Redacts events whose content hash is wrong.
  (_, { version }, pdus) => asHashedAll(pdus, version),
  // Fetches auth events.
  fetchingAuthEvents,
  // Puts each event after those that it names.
  async (_rt, _source, pdus) => inOrder(pdus, ({ prevEvents }) => prevEvents),
]

/**
 * Takes events of a room from another server and returns what became of each.
 *
 * `settle` runs in the unit that decides about the last event; it gets the events that could not be judged, because events
 * that they name could not be fetched.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu
 */
export async function receivePdus(
  rt: Checker,
  source: Source,
  pdus: readonly Pdu[],
  settle: (tx: Tx, open: Open) => Promise<void> = async () => {},
): Promise<Map<EventId, PduOutcome>> {
  const outage = { isSeen: false, isGone: false }
  return receiveFrom(rt, { ...source, outage }, pdus, async (tx, outcomes) => {
    const lacking = [...outcomes].filter(([, outcome]) => outcome === 'waits' || outcome === 'lacks')
    await settle(tx, { ids: new Set(lacking.map(([id]) => id)), isOutage: outage.isSeen })
  })
}

/** Events that could not be judged, and whether their sending server was unreachable. */
export interface Open {
  readonly ids: ReadonlySet<EventId>
  readonly isOutage: boolean
}

async function receiveFrom(
  rt: Checker,
  source: Source,
  pdus: readonly Pdu[],
  settle: Settle,
): Promise<Map<EventId, PduOutcome>> {
  let ordered = pdus
  for (const check of ARRIVAL_CHECKS) ordered = await check(rt, source, ordered)
  // Events that wait for others are settled after those arrived; all others in the unit that judged them.
  const first = await appendAll(rt, source, ordered, {
    settle: async (tx, outcomes) => {
      if (![...outcomes.values()].includes('waits')) await settle(tx, outcomes)
    },
  })
  const isOpen = ({ id }: Pdu) => first.get(id) === 'waits' || first.get(id) === 'lacks'
  if (![...first.values()].includes('waits')) return first
  for (const [id, outcome] of await appendAcrossGap(rt, source, ordered.filter(isOpen))) first.set(id, outcome)
  await rt.db.write((tx) => settle(tx, first))
  return first
}

/** Fetches and stores the auth events of these events; unavailable ones show when the unit judges. */
async function fetchingAuthEvents(rt: Checker, source: Source, pdus: readonly Pdu[]): Promise<readonly Pdu[]> {
  await keepAuthEvents(rt, source, pdus)
  return pdus
}

type Settle = (tx: Tx, outcomes: ReadonlyMap<EventId, PduOutcome>) => Promise<void>

/** Appends the events that can be appended, in several units, so that other writes run in between. */
async function appendAll(
  rt: Checker,
  source: Source,
  incoming: readonly Pdu[],
  { isAdrift = false, settle = async () => {} }: { readonly isAdrift?: boolean; readonly settle?: Settle } = {},
): Promise<Map<EventId, PduOutcome>> {
  const receivedTs = rt.clock.now()
  const { pdus, unwanted } = await recommended(rt, source, incoming)
  const outcomes = new Map<EventId, PduOutcome>()
  for (let at = 0; at < pdus.length || at === 0; ) {
    // The database may run a unit again, so each returns its outcome.
    const unit = await writeResolved(rt, async (tx) => {
      const judged = await appendSome(tx, source, { pdus: pdus.slice(at), unwanted, isAdrift, receivedTs })
      if (isNeed(judged)) return judged
      if (judged.size === 0 || at + judged.size >= pdus.length) await settle(tx, new Map([...outcomes, ...judged]))
      return judged
    })
    for (const [id, outcome] of unit) outcomes.set(id, outcome)
    await finishRemovals(
      rt,
      pdus.filter(({ id }) => unit.get(id) === 'appended'),
    )
    if (unit.size === 0) break
    at += unit.size
  }
  return outcomes
}

/** Appends the first of some events, as many as one unit may. */
async function appendSome(
  tx: Tx,
  { roomId, version }: Source,
  {
    pdus,
    unwanted,
    isAdrift,
    receivedTs,
  }: {
    readonly pdus: readonly Pdu[]
    readonly unwanted: ReadonlySet<EventId>
    readonly isAdrift: boolean
    readonly receivedTs: number
  },
): Promise<Map<EventId, PduOutcome> | ResolutionNeed> {
  const judged = new Map<EventId, PduOutcome>()
  let forks = 0
  for (const pdu of pdus.slice(0, EVENTS_A_UNIT)) {
    const room = await openRoom(tx, roomId)
    if (!room || forks === FORKS_A_UNIT) break
    if (room.extremityCount > 1) forks++
    const isUnwanted = unwanted.has(pdu.id)
    const outcome = await appendForeign(tx, room, { pdu, version, isAdrift, isUnwanted, receivedTs })
    if (!isNeed(outcome)) judged.set(pdu.id, outcome)
    else if (judged.size === 0) return outcome
    // The states may have been written by this unit: it ends here, so that they are committed when they are resolved.
    else break
  }
  return judged
}

/** Fetches the events of a gap, or, where they are too many, the state at its far edge. */
async function appendAcrossGap(
  rt: Checker,
  source: Source,
  waiting: readonly Pdu[],
): Promise<Map<EventId, PduOutcome>> {
  const { extremities, minDepth } = await gapLimits(rt, source.roomId)
  // What this server missed lies above its first event of the room; what lies below is history, which is not fetched from here.
  const missed = waiting.filter(({ depth }) => depth > minDepth)
  const fetched = missed.length === 0 ? [] : await fetchGap(rt, source, { extremities, minDepth }, missed)
  const between = fetched.filter(({ depth }) => depth >= minDepth)
  await keepAuthEvents(rt, source, between)
  const all = inOrder([...between, ...waiting], ({ prevEvents }) => prevEvents)
  let outcomes = await appendAll(rt, source, all)
  const stuck = all.filter(({ id }) => outcomes.get(id) === 'waits')
  if (stuck.length === 0) return outcomes
  // In a partially joined room no state is complete; it is fetched when the members are known.
  if (await isPartial(rt, source))
    return new Map([...outcomes, ...(await appendAll(rt, source, stuck, { isAdrift: true }))])
  const own = new Set(all.map(({ id }) => id))
  const edge = stuck.flatMap(({ prevEvents }) => prevEvents).filter((id) => !own.has(id))
  for (const id of (await withoutState(rt, edge)).slice(0, MAX_STATES)) await keepStateAt(rt, source, id)
  const later = await appendAll(rt, source, stuck)
  outcomes = new Map([...outcomes, ...later])
  return outcomes
}

/** Returns the events among these whose state is not known. */
async function withoutState(rt: Checker, ids: readonly EventId[]): Promise<EventId[]> {
  const missing = await missingAmong(rt, ids)
  const stateless = (await eventsById(rt.db.read, ids)).filter(({ stateAfter }) => stateAfter === 0)
  return [...missing, ...stateless.map(({ pdu }) => pdu.id)]
}

/**
 * Returns the events at which a gap ends, and its lowest depth: that of the first event that did not arrive as history. In a
 * partially joined room these are the join's predecessors and its depth, because the state before the join is unavailable.
 */
async function gapLimits(
  rt: Checker,
  roomId: RoomId,
): Promise<{ readonly extremities: readonly EventId[]; readonly minDepth: number }> {
  const extremities = await rt.db.write(async (tx) => (await openRoom(tx, roomId))?.extremities ?? [])
  const entered = await partialRoom(rt.db.read, roomId)
  if (!entered) {
    const room = await roomNid(rt.db.read, roomId)
    return { extremities, minDepth: room === undefined ? 0 : ((await firstOfRoom(rt.db.read, room))?.depth ?? 0) }
  }
  const join = (await pdusByNid(rt.db.read, [entered.join])).get(entered.join)
  return { extremities: [...new Set([...extremities, ...(join?.prevEvents ?? [])])], minDepth: join?.depth ?? 0 }
}

async function isPartial(rt: Checker, { roomId }: Source): Promise<boolean> {
  return (await roomById(rt.db.read, roomId))?.isPartial === true
}
