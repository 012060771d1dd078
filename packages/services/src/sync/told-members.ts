// SPDX-License-Identifier: Apache-2.0
import type { Read } from '@myelin/storage/engine/database'
import { Shelf } from '@myelin/storage/engine/kept'
import type { Slice } from './sync-request.ts'

// Member events a device was told under lazy loading, each with the end of the answer it came in.
const shelf = new Shelf<Map<number, number>>('toldMembers', 5_000)
const MAX_MEMBERS = 200

/**
 * The member events among these that a device does not have: none of them came with an answer that it has taken, since it
 * last began from nothing. Only its token says what it has taken, so a lost answer costs nothing but telling twice.
 *
 * @see https://spec.matrix.org/v1.19/client-server-api/#lazy-loading-room-members
 */
export function untoldMembers(db: Read, { request, since }: Slice, events: readonly number[]): readonly number[] {
  if (request.filter.state.includeRedundantMembers || !since || since.begun === 0) return events
  const told = shelf.of(db).get(nameOf(request))
  if (!told) return events
  return events.filter((event) => {
    const at = told.get(event)
    return at === undefined || at < since.begun || at > since.position
  })
}

/** Remembers that a device is being told these member events; a device that begins from nothing has only these. */
export function noteToldMembers(db: Read, { request, upTo }: Slice, events: readonly number[]): void {
  if (events.length === 0) return
  const [name, kept] = [nameOf(request), shelf.of(db)]
  const told = kept.get(name) ?? new Map<number, number>()
  for (const event of events) {
    // What was told last stands last, and is forgotten last.
    told.delete(event)
    told.set(event, upTo.position)
  }
  for (const [oldest] of told) {
    if (told.size <= MAX_MEMBERS) break
    told.delete(oldest)
  }
  kept.set(name, told)
}

/** Forgets what a device was told: it begins from nothing. */
export function forgetToldMembers(db: Read, { request }: Slice): void {
  shelf.of(db).delete(nameOf(request))
}

const nameOf = ({ requester }: Slice['request']) => `${requester.userId} ${requester.deviceId}`
