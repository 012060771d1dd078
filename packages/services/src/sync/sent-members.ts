// SPDX-License-Identifier: Apache-2.0
import type { Read } from '@myelin/storage/engine/database'
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import type { Slice } from './sync-request.ts'

// Member events sent to a device under lazy loading: the negative end position of each response, then its events. Maps would
// take most of the memory of a thousand waiting clients.
const cache = new DatabaseCache<readonly number[]>('sentMembers', 5_000)
const MAX_MEMBERS = 200

/**
 * Returns the member events that a device does not have: no response since its initial sync that it has received had them.
 * Its token shows what it has received, so after a lost response they are sent again.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#lazy-loading-room-members
 */
export function unsentMembers(db: Read, { request, since }: Slice, events: readonly number[]): readonly number[] {
  if (request.filter.state.includeRedundantMembers || !since || since.begun === 0) return events
  const sent = cache.of(db).get(nameOf(request))
  if (!sent) return events
  const known = new Set<number>()
  let isReceived = false
  for (const entry of sent) {
    if (entry <= 0) isReceived = -entry >= since.begun && -entry <= since.position
    else if (isReceived) known.add(entry)
  }
  return events.filter((event) => !known.has(event))
}

/** Records that member events are sent to a device. */
export function recordSentMembers(db: Read, { request, upTo }: Slice, events: readonly number[]): void {
  if (events.length === 0) return
  const [name, kept] = [nameOf(request), cache.of(db)]
  const again = new Set(events)
  const earlier = (kept.get(name) ?? []).filter((entry) => entry <= 0 || !again.has(entry))
  const isSameResponse = earlier.findLast((entry) => entry <= 0) === -upTo.position
  const sent = [...earlier, ...(isSameResponse ? [] : [-upTo.position]), ...again]
  kept.set(name, newest(sent))
}

/** Returns the last {@link MAX_MEMBERS} events, with the positions of their responses. */
function newest(sent: readonly number[]): readonly number[] {
  const backwards: number[] = []
  let members = 0
  for (const entry of sent.toReversed()) {
    const isPosition = entry <= 0
    const isEmpty = backwards.length === 0 || (backwards.at(-1) ?? 0) <= 0
    if (isPosition ? !isEmpty : members < MAX_MEMBERS) backwards.push(entry)
    if (!isPosition) members++
    else if (members >= MAX_MEMBERS) break
  }
  // A copy has no room to grow.
  return backwards.toReversed()
}

/** Drops the records of a device that does an initial sync. */
export function forgetSentMembers(db: Read, { request }: Slice): void {
  cache.of(db).delete(nameOf(request))
}

const nameOf = ({ requester, connection = '' }: Slice['request']) =>
  `${requester.userId} ${requester.deviceId}${connection}`
