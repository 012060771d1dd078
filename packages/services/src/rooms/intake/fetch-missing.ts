// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { eventsById } from '@myelin/storage/rooms/events/events'
import { roomNid } from '@myelin/storage/engine/names'
import { putOutlier, stateOfEvents, stateWithEvent } from '@myelin/storage/rooms/events/outliers'
import type { Checker } from './check-incoming.ts'
import { askAbout, fetchAuthChain, fetchEvents, missingAmong, stringsIn } from './fetch-events.ts'
import type { Outage, Source } from './fetch-events.ts'
import { keepOutliers } from './keep-outliers.ts'
import { fetchWantedState } from './fetch-wanted-state.ts'

/** The most events fetched one by one; above it, a whole auth chain or state is cheaper. */
const MAX_SINGLE = 40
/** The most auth chains fetched for a batch; fewer where they bring nothing new. */
const MAX_CHAINS = 5
const MAX_FRUITLESS = 2

/**
 * Stores the auth events of these events, with their auth chains; events that the server does not send stay missing.
 *
 * The number of requests per batch is bounded: whole auth chains first, because one of them
 * mostly has what the next event needs, then the single events that are still missing.
 */
export async function keepAuthEvents(rt: Checker, source: Source, pdus: readonly Pdu[]): Promise<void> {
  const own = new Set(pdus.map(({ id }) => id))
  const missing = async (pdu: Pdu) => missingAmong(rt, withoutThose(pdu.authEvents, own))
  // Usually nothing is missing, which one query shows.
  if (
    (
      await missingAmong(
        rt,
        withoutThose(
          pdus.flatMap(({ authEvents }) => authEvents),
          own,
        ),
      )
    ).length === 0
  )
    return
  let [chains, fruitless] = [0, 0]
  for (const pdu of pdus) {
    if (chains === MAX_CHAINS || fruitless === MAX_FRUITLESS) break
    if ((await missing(pdu)).length === 0) continue
    const chain = await fetchAuthChain(rt, source, pdu.id)
    await keep(rt, source, chain)
    chains++
    if (chain.length === 0) fruitless++
  }
  const left = await missingAmong(
    rt,
    withoutThose(
      pdus.flatMap(({ authEvents }) => authEvents),
      own,
    ),
  )
  if (left.length > 0) await keep(rt, source, await fetchEvents(rt, source, left.slice(0, MAX_SINGLE)))
}

const withoutThose = (ids: readonly EventId[], own: ReadonlySet<EventId>) => ids.filter((id) => !own.has(id))

/**
 * Fetches the state after a missing event, so that its successors can be judged, and returns whether that worked. The
 * event is stored as an outlier, with the state that the other server sent.
 *
 * A state counts only if all of its events were sent, with any outcome: an incomplete one would stay wrong
 * for good.
 */
export async function keepStateAt(rt: Checker, asked: Source, id: EventId): Promise<boolean> {
  const isGone = asked.outage?.isGone ?? false
  const outage = { isSeen: isGone, isGone }
  const isKept = await fetchStateOnce(rt, { ...asked, outage }, id, outage)
  if (asked.outage && outage.isSeen) asked.outage.isSeen = true
  if (asked.outage && outage.isGone) asked.outage.isGone = true
  return isKept
}

async function fetchStateOnce(rt: Checker, source: Source, id: EventId, outage: Outage): Promise<boolean> {
  const target = federationPath(['federation', 'v1', 'state_ids', source.roomId], { event_id: id })
  const answer = await askAbout(rt, source, { method: 'GET', target })
  const stateIds = stringsIn(answer, 'pdu_ids')
  // Only before the create event is there no state.
  if (stateIds.length === 0) return keepCreate(rt, source, id)
  const wanted = [...new Set([...stateIds, ...stringsIn(answer, 'auth_chain_ids')])] as EventId[]
  const missing = await missingAmong(rt, wanted)
  if (missing.length > MAX_SINGLE) {
    const room = await roomNid(rt.db.read, source.roomId)
    if (room !== undefined) await fetchWantedState(rt, { ...source, room }, id, new Set(missing))
  } else if (missing.length > 0) {
    await keep(rt, source, await fetchEvents(rt, source, missing))
  }
  const own = (await eventsById(rt.db.read, [id]))[0]?.pdu ?? (await fetchEvents(rt, source, [id]))[0]
  if (!own) return false
  await keepAuthEvents(rt, source, [own])
  if (outage.isSeen) return false
  return keepBetween(rt, source, own, stateIds as EventId[])
}

/** Gives a stored create event its state; returns false for any other event. */
async function keepCreate(rt: Checker, source: Source, id: EventId): Promise<boolean> {
  const create = (await eventsById(rt.db.read, [id]))[0]?.pdu
  const isCreate = create !== undefined && create.type === 'm.room.create' && create.prevEvents.length === 0
  return isCreate && keepBetween(rt, source, create, [])
}

async function keepBetween(
  rt: Checker,
  { version, roomId }: Source,
  own: Pdu,
  stateIds: readonly EventId[],
): Promise<boolean> {
  return rt.db.write(async (tx) => {
    const room = await roomNid(tx, roomId)
    if (room === undefined) return false
    const kept = await keepOutliers(tx, room, version, [own])
    const itself = kept.get(own.id)
    const [stored] = await eventsById(tx, [own.id])
    if (!itself || !stored || stored.stateAfter !== 0) return stored?.stateAfter !== 0
    const state = await eventsById(tx, stateIds)
    const stateBefore = await stateOfEvents(
      tx,
      state.filter((event) => event.status !== 2 && event.pdu.roomId === roomId).map(({ nid, pdu }) => ({ nid, pdu })),
    )
    const stateAfter = itself.isRejected ? stateBefore : await stateWithEvent(tx, stateBefore, itself)
    const status = itself.isRejected ? 'rejected' : 'accepted'
    await putOutlier(tx, own, { room, status, stateBefore, stateAfter, nid: itself.nid, isKept: true })
    return stateAfter !== 0
  })
}

async function keep(rt: Checker, { roomId, version }: Source, pdus: readonly Pdu[]): Promise<void> {
  if (pdus.length === 0) return
  await rt.db.write(async (tx) => {
    const room = await roomNid(tx, roomId)
    if (room !== undefined) await keepOutliers(tx, room, version, pdus)
  })
}
