// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/database'
import { Shelf } from '@myelin/storage/kept'
import type { StoredEvent } from '@myelin/storage/stored-event'
import { loadStateEvent } from '../rooms/load-auth-state.ts'

/** A user's membership at each event, by its number; events in a row mostly share their state. */
export async function membershipsAt(
  db: Read,
  events: readonly StoredEvent[],
  user: UserId,
): Promise<Map<number, string>> {
  const byRoot = new Map<number, string>()
  const memberships = new Map<number, string>()
  for (const event of events) {
    const membership = byRoot.get(event.stateAfter) ?? (await membershipIn(db, event.stateAfter, user))
    byRoot.set(event.stateAfter, membership)
    memberships.set(event.nid, membership)
  }
  return memberships
}

const shelf = new Shelf<string>('membershipsAt', 50_000)

/** A user's membership in a state: neither a state nor what a member event says of it ever changes. */
async function membershipIn(db: Read, root: number, user: UserId): Promise<string> {
  const cache = shelf.of(db)
  const name = `${root} ${user}`
  const known = cache.get(name)
  if (known !== undefined) return known
  const own = await loadStateEvent(db, root, 'm.room.member', user)
  const membership = (own && stringMember(own.content, 'membership')) ?? 'leave'
  // What a unit made may be taken back.
  if (db.moves.position !== undefined) cache.set(name, membership)
  return membership
}
