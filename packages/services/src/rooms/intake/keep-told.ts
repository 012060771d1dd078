// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import { federationPath } from '@myelin/remote/federation'
import { RemoteError } from '@myelin/remote/remote-error'
import type { Checker } from './check-incoming.ts'
import { noteOutage } from './fetch-events.ts'
import type { Source } from './fetch-events.ts'
import { OutlierKeeper } from './outlier-keeper.ts'
import { takeAnswer } from './take-answer.ts'

/** Whom to ask about a room of which we have at least the create event. */
export type KnownSource = Source & { readonly room: number }

/**
 * Keeps those of the wanted events that are in the state before an event or in what it rests on, as one server tells it
 * and while it does. Answers the ids it told, whatever became of them; what came stays, also where the rest does not.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1stateroomid
 */
export async function keepTold(
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
    const { ids } = await takeAnswer(rt, source, question, keeper)
    await keeper.end(source, [])
    return new Set([...ids.values()].flat())
  } catch (cause) {
    if (!(cause instanceof RemoteError)) throw cause
    if (source.outage) noteOutage(source.outage, cause)
    rt.log.info({ err: cause, server: source.server, roomId: source.roomId }, 'another server did not tell a state')
    return new Set()
  }
}
