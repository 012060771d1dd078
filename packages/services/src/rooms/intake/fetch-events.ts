// SPDX-License-Identifier: Apache-2.0
import type { EventId, ServerName } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { nidsOfEvents } from '@myelin/storage/rooms/events/auth-edges'
import { checkIncoming } from './check-incoming.ts'
import type { Checker, RoomContext } from './check-incoming.ts'

const MAX_GAP = 50
const PARALLEL = 6
const TIMEOUT_MS = 30_000

/** Whom to ask about a room. */
export interface Source extends RoomContext {
  readonly server: ServerName
  /** Notes that the server had no answer for now: later there may be one. */
  readonly outage?: Outage
}

/** Whether a server failed us in a way that may pass, and whether it could not be reached: then it is not asked on. */
export interface Outage {
  isSeen: boolean
  isGone: boolean
}

/** The events between what we have and what arrived, as far as the other server tells. */
export async function fetchGap(
  rt: Checker,
  source: Source,
  { heads, minDepth }: { readonly heads: readonly EventId[]; readonly minDepth: number },
  latest: readonly Pdu[],
): Promise<Pdu[]> {
  const answer = await askAbout(rt, source, {
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
      const answer = await askAbout(rt, source, {
        method: 'GET',
        target: federationPath(['federation', 'v1', 'event', id]),
      })
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
  const answer = await askAbout(rt, source, { method: 'GET', target })
  return checkIncoming(rt, listMember(answer, 'auth_chain'), source, { isBackfill: true })
}

/** The ids among these that we have nothing of. */
export async function missingAmong(rt: Pick<Checker, 'db'>, ids: readonly EventId[]): Promise<EventId[]> {
  const distinct = [...new Set(ids)]
  const found = await nidsOfEvents(rt.db.read, distinct)
  return distinct.filter((id) => !found.has(id))
}

/** An answer; an empty one where the other server refuses, undefined where it could not be had at all. */
export async function askAbout(
  rt: Checker,
  { server, outage }: Source,
  call: { readonly method: 'GET' | 'POST'; readonly target: string; readonly body?: JsonObject },
): Promise<JsonObject | undefined> {
  // Whoever waits behind these events does not wait for one answer after the other that does not come.
  if (outage?.isGone) return undefined
  try {
    return await rt.remote.call(server, { ...call, timeoutMs: TIMEOUT_MS, keepNumbers: true })
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    rt.log.info({ err: cause, server }, 'another server did not help with missing events')
    if (outage) noteOutage(outage, cause)
    return cause.fault === 'unreachable' ? undefined : {}
  }
}

/** Notes what was wrong with another server, where it may be over soon. */
export function noteOutage(outage: Outage, { fault, status = 0 }: RemoteError): void {
  if (fault === 'unreachable') outage.isGone = true
  if (fault === 'unreachable' || status === 429 || status >= 500) outage.isSeen = true
}

/** A list in an answer; an empty one where there is none. */
function listMember(answer: JsonObject | undefined, key: string): readonly Json[] {
  const list = answer && member(answer, key)
  return Array.isArray(list) ? (list as readonly Json[]) : []
}

/** The short texts of a list in an answer. */
export function stringsIn(answer: JsonObject | undefined, key: string): string[] {
  return listMember(answer, key).filter((each): each is string => typeof each === 'string' && each.length <= 255)
}
