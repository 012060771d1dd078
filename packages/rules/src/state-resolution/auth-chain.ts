// SPDX-License-Identifier: Apache-2.0
import type { EventId } from '@myelin/matrix/ids'
import type { Pdu } from '@myelin/matrix/pdu'

/** Events by ID. */
export type Events = ReadonlyMap<EventId, Pdu>

/**
 * Returns the auth chain of some events: their auth events, recursively; without the events themselves, unless another
 * leads to them.
 *
 * It walks iteratively, because a remote server chooses the depth of the graph. Missing events end a path.
 *
 * @see https://spec.matrix.org/v1.19/server-server-api/#pdus
 */
export function authChain(ids: Iterable<EventId>, events: Events, isKnown?: (id: EventId) => boolean): Set<EventId> {
  const chain = new Set<EventId>()
  const open: EventId[] = [...ids]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    for (const next of events.get(id)?.authEvents ?? []) {
      if (chain.has(next) || isKnown?.(next) || !events.has(next)) continue
      chain.add(next)
      open.push(next)
    }
  }
  return chain
}
