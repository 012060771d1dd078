// SPDX-License-Identifier: Apache-2.0
import type { EventId, ServerName } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { nidsOfEvents } from '@myelin/storage/auth-edges'
import { eventsById } from '@myelin/storage/events'
import { putOutlier, stateOfEvents, stateWithEvent } from '@myelin/storage/outliers'
import { roomNid } from '@myelin/storage/names'
import { checkIncoming } from './check-incoming.ts'
import type { Checker, RoomContext } from './check-incoming.ts'
import { keepOutliers } from './keep-outliers.ts'

const MAX_GAP = 50
/** So many events are asked for one by one; more come cheaper as a whole. */
const MAX_SINGLE = 40
const PARALLEL = 6
/** So many auth chains are asked for in a batch, fewer where nothing comes of it. */
const MAX_CHAINS = 5
const MAX_FRUITLESS = 2
const TIMEOUT_MS = 30_000

/** Whom to ask about a room. */
export interface Source extends RoomContext {
  readonly server: ServerName
}

/** The events between what we have and what arrived, as far as the other server tells. */
export async function fetchGap(
  rt: Checker,
  source: Source,
  { heads, minDepth }: { readonly heads: readonly EventId[]; readonly minDepth: number },
  latest: readonly Pdu[],
): Promise<Pdu[]> {
  const answer = await ask(rt, source, {
    method: 'POST',
    target: federationPath(['federation', 'v1', 'get_missing_events', source.roomId]),
    body: {
      earliest_events: [...heads],
      latest_events: latest.map(({ id }) => id),
      limit: MAX_GAP,
      min_depth: minDepth,
    },
  })
  return checkIncoming(rt, listMember(answer, 'events').slice(0, MAX_GAP), source)
}

/** Events one by one, those that come. */
export async function fetchEvents(rt: Checker, source: Source, ids: readonly EventId[]): Promise<Pdu[]> {
  const found: Json[] = []
  const queue = [...new Set(ids)]
  const wanted = new Set(queue)
  const work = async () => {
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      const answer = await ask(rt, source, { method: 'GET', target: federationPath(['federation', 'v1', 'event', id]) })
      // Who cannot be reached, or does not answer in time, is not asked for the rest.
      if (answer === undefined) queue.length = 0
      found.push(...listMember(answer, 'pdus').slice(0, 1))
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  return (await checkIncoming(rt, found, source, { isBackfill: true })).filter(({ id }) => wanted.has(id))
}

/** The auth chain of an event, as the other server tells it. */
export async function fetchAuthChain(rt: Checker, source: Source, id: EventId): Promise<Pdu[]> {
  const target = federationPath(['federation', 'v1', 'event_auth', source.roomId, id])
  const answer = await ask(rt, source, { method: 'GET', target })
  return checkIncoming(rt, listMember(answer, 'auth_chain'), source, { isBackfill: true })
}

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
 * place in the timeline, between the states the other server tells. Answers whether that worked.
 */
export async function keepStateAt(rt: Checker, source: Source, id: EventId): Promise<boolean> {
  const target = (what: string) => federationPath(['federation', 'v1', what, source.roomId], { event_id: id })
  const answer = await ask(rt, source, { method: 'GET', target: target('state_ids') })
  const stateIds = stringsIn(answer, 'pdu_ids')
  if (stateIds.length === 0) return false
  const wanted = [...new Set([...stateIds, ...stringsIn(answer, 'auth_chain_ids')])] as EventId[]
  const missing = await missingAmong(rt, wanted)
  if (missing.length > MAX_SINGLE) {
    const whole = await ask(rt, source, { method: 'GET', target: target('state') })
    const jsons = [...listMember(whole, 'pdus'), ...listMember(whole, 'auth_chain')]
    await keep(rt, source, await checkIncoming(rt, jsons, source, { isBackfill: true }))
  } else if (missing.length > 0) {
    await keep(rt, source, await fetchEvents(rt, source, missing))
  }
  const own = (await eventsById(rt.db.read, [id]))[0]?.pdu ?? (await fetchEvents(rt, source, [id]))[0]
  if (!own) return false
  await keepAuthEvents(rt, source, [own])
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

/** The ids among these that we have nothing of. */
export async function missingAmong(rt: Pick<Checker, 'db'>, ids: readonly EventId[]): Promise<EventId[]> {
  const distinct = [...new Set(ids)]
  const found = await nidsOfEvents(rt.db.read, distinct)
  return distinct.filter((id) => !found.has(id))
}

/** An answer; an empty one where the other server refuses, undefined where it could not be had at all. */
async function ask(
  rt: Checker,
  { server }: Source,
  call: { readonly method: 'GET' | 'POST'; readonly target: string; readonly body?: JsonObject },
): Promise<JsonObject | undefined> {
  try {
    return await rt.remote.call(server, { ...call, timeoutMs: TIMEOUT_MS, keepNumbers: true })
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    rt.log.info({ err: cause, server }, 'another server did not help with missing events')
    return cause.fault === 'unreachable' ? undefined : {}
  }
}

function listMember(answer: JsonObject | undefined, key: string): readonly Json[] {
  const list = answer && member(answer, key)
  return Array.isArray(list) ? (list as readonly Json[]) : []
}

function stringsIn(answer: JsonObject | undefined, key: string): string[] {
  return listMember(answer, key).filter((each): each is string => typeof each === 'string' && each.length <= 255)
}
