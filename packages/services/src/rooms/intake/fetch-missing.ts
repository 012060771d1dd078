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
import { keepTold } from './keep-told.ts'

/** So many events are asked for one by one; more come cheaper as a whole. */
const MAX_SINGLE = 40
/** So many auth chains are asked for in a batch, fewer where nothing comes of it. */
const MAX_CHAINS = 5
const MAX_FRUITLESS = 2

/**
 * Makes sure that the auth events of these events are kept, with theirs; what nobody tells stays missing.
 *
 * However many events name however many others, the questions of one batch are few: whole chains first, as one of them
 * mostly has what the next event needs too, then what is still missing.
 */
export async function keepAuthEvents(rt: Checker, source: Source, pdus: readonly Pdu[]): Promise<void> {
  const own = new Set(pdus.map(({ id }) => id))
  const missing = async (pdu: Pdu) => missingAmong(rt, withoutThose(pdu.authEvents, own))
  // Mostly nothing is missing, and one look says so.
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
 * Learns the state after an event we do not have, so that what follows it can be judged: the event is kept without a
 * place in the timeline, between the states the other server tells. Answers whether that worked. A state is taken only
 * where all of it was told, whatever became of each event: one that lacks something is another one, for good.
 */
export async function keepStateAt(rt: Checker, asked: Source, id: EventId): Promise<boolean> {
  const isGone = asked.outage?.isGone ?? false
  const outage = { isSeen: isGone, isGone }
  const isKept = await keepToldState(rt, { ...asked, outage }, id, outage)
  if (asked.outage && outage.isSeen) asked.outage.isSeen = true
  if (asked.outage && outage.isGone) asked.outage.isGone = true
  return isKept
}

async function keepToldState(rt: Checker, source: Source, id: EventId, outage: Outage): Promise<boolean> {
  const target = federationPath(['federation', 'v1', 'state_ids', source.roomId], { event_id: id })
  const answer = await askAbout(rt, source, { method: 'GET', target })
  const stateIds = stringsIn(answer, 'pdu_ids')
  if (stateIds.length === 0) return false
  const wanted = [...new Set([...stateIds, ...stringsIn(answer, 'auth_chain_ids')])] as EventId[]
  const missing = await missingAmong(rt, wanted)
  if (missing.length > MAX_SINGLE) {
    const room = await roomNid(rt.db.read, source.roomId)
    if (room !== undefined) await keepTold(rt, { ...source, room }, id, new Set(missing))
  } else if (missing.length > 0) {
    await keep(rt, source, await fetchEvents(rt, source, missing))
  }
  const own = (await eventsById(rt.db.read, [id]))[0]?.pdu ?? (await fetchEvents(rt, source, [id]))[0]
  if (!own) return false
  await keepAuthEvents(rt, source, [own])
  if (outage.isSeen) return false
  return keepBetween(rt, source, own, stateIds as EventId[])
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
