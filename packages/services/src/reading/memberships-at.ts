// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/database'
import type { StoredEvent } from '@myelin/storage/stored-event'
import { StateWord } from './state-word.ts'

/** A user's membership at each event, by its number. */
export async function membershipsAt(
  db: Read,
  events: readonly StoredEvent[],
  user: UserId,
): Promise<Map<number, string>> {
  const membership = await StateWord.of(db, { type: 'm.room.member', stateKey: user, member: 'membership' })
  const memberships = new Map<number, string>()
  for (const { nid, stateAfter } of events) memberships.set(nid, (await membership.at(stateAfter)) ?? 'leave')
  return memberships
}
