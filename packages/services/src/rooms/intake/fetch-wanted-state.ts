// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Checker } from './check-incoming.ts'
import { noteOutage } from './fetch-events.ts'
import type { Source } from './fetch-events.ts'
import { OutlierKeeper } from './outlier-keeper.ts'
import { streamEvents } from './stream-events.ts'

/** The server to fetch events from, in a room whose create event is stored. */
export type KnownSource = Source & { readonly room: number }

/**
 * Stores the wanted events among the state before an event and its auth chain, while one server's answer streams in.
 * Returns the IDs of all events in the answer, with any outcome. Stored events stay if the request fails.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1stateroomid
 */
export async function fetchWantedState(
  rt: Checker,
  source: KnownSource,
  id: EventId,
  wanted: ReadonlySet<EventId>,
): Promise<ReadonlySet<EventId>> {
  if (source.outage?.isGone) return new Set()
  const target = federationPath(['federation', 'v1', 'state', source.roomId], { event_id: id })
  const question = { server: source.server, method: 'GET', target, lists: ['pdus', 'auth_chain'] } as const
  const keeper = new OutlierKeeper(rt, source, { room: source.room, wanted })
  try {
    const { ids } = await streamEvents(rt, source, question, keeper)
    await keeper.end(source, [])
    return new Set([...ids.values()].flat())
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    if (source.outage) noteOutage(source.outage, cause)
    rt.remote.reportFailure(source.server, cause)
    return new Set()
  }
}
