// SPDX-License-Identifier: Apache-2.0
import type { EventId, ServerName } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { nidsOfEvents } from '@myelin/storage/rooms/events/auth-edges'
import { checkIncoming } from './check-incoming.ts'
import type { Checker } from './check-incoming.ts'
import type { RoomContext } from '../../room-state/room-context.ts'

const MAX_GAP = 50
const PARALLEL = 6
const TIMEOUT_MS = 30_000

/** The server to fetch events of a room from. */
export interface Source extends RoomContext {
  readonly server: ServerName
  /** Records a temporary failure of the server. */
  readonly outage?: Outage
}

/** The failures of a server: a temporary one, or an unreachable server, which gets no further requests. */
export interface Outage {
  isSeen: boolean
  isGone: boolean
}

/** Returns the events between the stored graph and an arrived event, as far as the other server sends them. */
export async function fetchGap(
  rt: Checker,
  source: Source,
  { extremities, minDepth }: { readonly extremities: readonly EventId[]; readonly minDepth: number },
  latest: readonly Pdu[],
): Promise<Pdu[]> {
  const answer = await askAbout(rt, source, {
    method: 'POST',
    target: federationPath(['federation', 'v1', 'get_missing_events', source.roomId]),
    body: {
      earliest_events: [...extremities],
      latest_events: latest.map(({ id }) => id),
      limit: MAX_GAP,
      min_depth: minDepth,
    },
  })
  return checkIncoming(rt, listMember(answer, 'events').slice(0, MAX_GAP), source)
}

/** Fetches events one by one and returns those that the server sends. */
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
      // An unreachable or slow server gets no requests for the rest.
      if (answer === undefined) queue.length = 0
      found.push(...listMember(answer, 'pdus').slice(0, 1))
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  return (await checkIncoming(rt, found, source, { isBackfill: true })).filter(({ id }) => wanted.has(id))
}

/** Returns the auth chain of an event, as the other server sends it. */
export async function fetchAuthChain(rt: Checker, source: Source, id: EventId): Promise<Pdu[]> {
  const target = federationPath(['federation', 'v1', 'event_auth', source.roomId, id])
  const answer = await askAbout(rt, source, { method: 'GET', target })
  return checkIncoming(rt, listMember(answer, 'auth_chain'), source, { isBackfill: true })
}

/** Returns the IDs among these of events that are not stored. */
export async function missingAmong(rt: Pick<Checker, 'db'>, ids: readonly EventId[]): Promise<EventId[]> {
  const distinct = [...new Set(ids)]
  const found = await nidsOfEvents(rt.db.read, distinct)
  return distinct.filter((id) => !found.has(id))
}

/** Returns an answer; an empty one where the other server refuses, undefined where the request failed. */
export async function askAbout(
  rt: Checker,
  { server, outage }: Source,
  call: { readonly method: 'GET' | 'POST'; readonly target: string; readonly body?: JsonObject },
): Promise<JsonObject | undefined> {
  // Other events wait behind these: an unreachable server is not tried again and again.
  if (outage?.isGone) return undefined
  try {
    return await rt.remote.call(server, { ...call, timeoutMs: TIMEOUT_MS, keepNumbers: true })
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    if (outage) noteOutage(outage, cause)
    return cause.fault === 'unreachable' ? undefined : {}
  }
}

/** Records a failure of another server that may be temporary. */
export function noteOutage(outage: Outage, { fault, status = 0 }: RemoteError): void {
  if (fault === 'unreachable') outage.isGone = true
  if (fault === 'unreachable' || status === 429 || status >= 500) outage.isSeen = true
}

/** Returns a list of an answer; an empty one where it is missing. */
function listMember(answer: JsonObject | undefined, key: string): readonly Json[] {
  const list = answer && member(answer, key)
  return Array.isArray(list) ? (list as readonly Json[]) : []
}

/** Returns the strings of at most 255 bytes in a list of an answer. */
export function stringsIn(answer: JsonObject | undefined, key: string): string[] {
  return listMember(answer, key).filter((each): each is string => typeof each === 'string' && each.length <= 255)
}
