// SPDX-License-Identifier: Apache-2.0
import type { Read } from '@myelin/storage/engine/database'
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import type { Slice } from './sync-request.ts'

// Member events sent to a device under lazy loading, each with the end position of its response.
const cache = new DatabaseCache<Map<number, number>>('sentMembers', 5_000)
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
  return events.filter((event) => {
    const at = sent.get(event)
    return at === undefined || at < since.begun || at > since.position
  })
}

/** Records that member events are sent to a device. */
export function recordSentMembers(db: Read, { request, upTo }: Slice, events: readonly number[]): void {
  if (events.length === 0) return
  const [name, kept] = [nameOf(request), cache.of(db)]
  const sent = kept.get(name) ?? new Map<number, number>()
  for (const event of events) {
    // The oldest entries are dropped first.
    sent.delete(event)
    sent.set(event, upTo.position)
  }
  for (const [oldest] of sent) {
    if (sent.size <= MAX_MEMBERS) break
    sent.delete(oldest)
  }
  kept.set(name, sent)
}

/** Drops the records of a device that does an initial sync. */
export function forgetSentMembers(db: Read, { request }: Slice): void {
  cache.of(db).delete(nameOf(request))
}

const nameOf = ({ requester, connection = '' }: Slice['request']) =>
  `${requester.userId} ${requester.deviceId}${connection}`
