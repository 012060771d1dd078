// SPDX-License-Identifier: Apache-2.0
import type { UserId } from '@myelin/matrix/ids'
import type { Read } from '@myelin/storage/engine/database'
import type { StoredEvent } from '@myelin/storage/schema/stored-event'
import { stateWords } from '../room-state/state-words.ts'

/** Returns a user's membership at each event, by event number. */
export async function membershipsAt(
  db: Read,
  events: readonly StoredEvent[],
  user: UserId,
): Promise<Map<number, string>> {
  const own = { type: 'm.room.member', stateKey: user, member: 'membership' } as const
  const roots = events.map(({ stateAfter }) => stateAfter)
  const words = await stateWords(db, own, roots)
  return new Map(events.map(({ nid, stateAfter }) => [nid, words.get(stateAfter) ?? 'leave']))
}
