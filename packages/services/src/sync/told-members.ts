// SPDX-License-Identifier: Apache-2.0
import type { Read } from '@myelin/storage/engine/database'
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import type { Slice } from './sync-request.ts'

// Member events a device was told under lazy loading, each with the end of the answer it came in.
const shelf = new DatabaseCache<Map<number, number>>('toldMembers', 5_000)
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
    return at === undefined || at <= since.begun || at > since.position
  })
}

/** Remembers that a device is being told these member events. */
export function noteToldMembers(db: Read, { request, upTo }: Slice, events: readonly number[]): void {
  if (events.length === 0) return
  const name = nameOf(request)
  const all = shelf.of(db).get(name)
  const told = !all || all.size + events.length > MAX_MEMBERS ? new Map<number, number>() : all
  for (const event of events.slice(-MAX_MEMBERS)) told.set(event, upTo.position)
  if (told !== all) shelf.of(db).set(name, told)
}

const nameOf = ({ requester }: Slice['request']) => `${requester.userId} ${requester.deviceId}`
