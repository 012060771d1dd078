// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import { isEventId } from '@myelin/matrix/ids'
import { member } from '@myelin/matrix/json'
import type { Json, JsonObject } from '@myelin/matrix/json'
import type { Pdu } from '@myelin/matrix/pdu'
import { federationPath, MAX_ROOM_BYTES } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import { internKeysOf } from '@myelin/storage/rooms/events/outliers'
import type { Checker } from '../intake/check-incoming.ts'
import { fetchEvents, missingAmong } from '../intake/fetch-events.ts'
import type { KnownSource } from '../intake/fetch-wanted-state.ts'
import { fetchWantedState } from '../intake/fetch-wanted-state.ts'
import { inOrder } from '../append/judge.ts'
import { createFirst, keepOutliers } from '../intake/keep-outliers.ts'

/** A state as another server names it. */
export interface NamedState {
  readonly ids: readonly EventId[]
  /** The number of named events that were not sent. */
  readonly lostCount: number
}

const TIMEOUT_MS = 120_000
const SLICE = 200
/** The most events fetched one by one; above it, a whole state is cheaper. */
const MAX_SINGLE = 40
/** The most rounds of fetching what a whole state lacked, 40 events each. */
const MAX_ROUNDS = 500
const MAX_IDS = 1_000_000

/**
 * Fetches and stores the state before an event with its auth events from one server, each event verified and judged by
 * its auth events. Stored events stay, so that a repeated call fetches the rest only. Undefined where the server does
 * not send it.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1state_idsroomid
 */
export async function fetchStateBefore(rt: Checker, source: KnownSource, id: EventId): Promise<NamedState | undefined> {
  const named = await ask(rt, source, 'state_ids', id)
  const ids = idsIn(named, 'pdu_ids')
  const wanted = [...new Set([...ids, ...idsIn(named, 'auth_chain_ids')])]
  if (ids.length === 0 || wanted.length > MAX_IDS) return undefined
  let missing = await missingAmong(rt, wanted)
  const fetched = new Set<EventId>()
  if (missing.length > MAX_SINGLE) {
    for (const each of await fetchWantedState(rt, source, id, new Set(missing))) fetched.add(each)
    missing = (await missingAmong(rt, missing)).filter((each) => !fetched.has(each))
  }
  for (let round = 0; round < MAX_ROUNDS && missing.length > 0; round++) {
    const pdus = await fetchEvents(rt, source, missing.slice(0, MAX_SINGLE))
    if (pdus.length === 0) break
    for (const each of pdus) fetched.add(each.id)
    await keep(rt, source, pdus)
    missing = missing.slice(MAX_SINGLE)
  }
  const lost = (await missingAmong(rt, ids)).filter((each) => !fetched.has(each))
  return { ids, lostCount: lost.length }
}

/** Stores events in small units, so that other writes run in between. */
async function keep(rt: Checker, source: KnownSource, pdus: readonly Pdu[]): Promise<void> {
  const ordered = inOrder(createFirst(pdus), ({ authEvents }) => authEvents)
  for (let start = 0; start < ordered.length; start += SLICE) {
    const chunk = ordered.slice(start, start + SLICE)
    await rt.db.write(async (tx) => {
      await internKeysOf(tx, chunk)
      await keepOutliers(tx, source.room, source.version, chunk)
    })
  }
}

async function ask(
  rt: Checker,
  { server, roomId }: KnownSource,
  what: 'state_ids',
  id: EventId,
): Promise<JsonObject | undefined> {
  try {
    const target = federationPath(['federation', 'v1', what, roomId], { event_id: id })
    return await rt.remote.call(server, {
      method: 'GET',
      target,
      timeoutMs: TIMEOUT_MS,
      maxBytes: MAX_ROOM_BYTES,
      keepNumbers: true,
    })
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    return undefined
  }
}

function listIn(answer: JsonObject | undefined, key: string): readonly Json[] {
  const list = answer && member(answer, key)
  return Array.isArray(list) ? (list as readonly Json[]) : []
}

const idsIn = (answer: JsonObject | undefined, key: string): EventId[] => listIn(answer, key).filter(isEventId)
