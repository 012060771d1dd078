// SPDX-License-Identifier: Apache-2.0
import { step } from '@myelin/kit/turn'
import { stringMember } from '@myelin/matrix/json'
import type { Read } from '@myelin/storage/engine/database'
import { pdusByNid } from '@myelin/storage/rooms/events/events'
import { DatabaseCache } from '@myelin/storage/engine/cached-reader'
import { keyNid } from '@myelin/storage/engine/names'
import { statesAt } from '@myelin/storage/rooms/state/state'

// The estimated cost of a state whose event is in memory.
const WORD_COST_US = 1

// Cached by event, not by state: each join makes a new state in which the other events stay the same.
const cache = new DatabaseCache<string>('stateWords', 50_000)

/** A type of state event, and the content member to read. */
export interface WordKind {
  readonly type: string
  readonly stateKey: string
  /** The content member to read. */
  readonly member: 'membership' | 'history_visibility'
}

/** Returns one content member of a state event in each of these states, by trie root; states without it are omitted. */
export async function stateWords(
  db: Read,
  { type, stateKey, member }: WordKind,
  roots: Iterable<number>,
): Promise<Map<number, string>> {
  const words = new Map<number, string>()
  const key = await keyNid(db, type, stateKey)
  if (key === undefined) return words
  let [last, word]: [number | undefined, string | undefined] = [undefined, undefined]
  for (const [root, event] of await statesAt(db, roots, key)) {
    // Consecutive states mostly share the event.
    if (event !== last) word = await wordOf(db, event, member)
    last = event
    if (word !== undefined) words.set(root, word)
    const pausing = step(WORD_COST_US)
    if (pausing) await pausing
  }
  return words
}

async function wordOf(db: Read, event: number, member: string): Promise<string | undefined> {
  const entries = cache.of(db)
  const name = String(event)
  const known = entries.get(name)
  if (known !== undefined) return known
  const pdu = (await pdusByNid(db, [event])).get(event)
  const word = pdu && stringMember(pdu.content, member)
  // A running unit may be rolled back, so its reads are not cached.
  if (word !== undefined && db.topicPositions.position !== undefined) entries.set(name, word)
  return word
}
